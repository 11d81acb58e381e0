/** `watch`: looks at every check on an interval until it is stopped; cleans, serves and alerts where it is told to. */
import ms from 'ms';
import {aborted} from '../aborted.js';
import type {FullEngine} from '../engine/engine.js';
import {SesstuiError} from '../errors.js';
import {type Line, lineText} from '../watch/log.js';
import type {Context} from './context.js';
import {type Parts, startAlerts, startServer} from './watch-followers.js';
import {openReporter} from './watch-printing.js';
import {canWrite, requireWriting} from './watch-writing.js';

const [leastMs, mostMs] = [1000, 7 * 86_400_000];

const everyOf = ({flags}: Context): number => {
  const every = flags.duration('every', leastMs) ?? 300_000;
  if (every > mostMs)
    throw new SesstuiError('usage', `--every ${flags.text('every')} is too long`, 'At most 7d.');
  return every;
};

const refuseOutput = ({output}: Context): void => {
  if (output === 'json' || output === 'csv')
    throw new SesstuiError(
      'usage',
      `watch goes on until it is stopped, and ${output} is one document`,
      'Use --ndjson: a line of JSON for each look.',
    );
};

const startText = (context: Context, engine: FullEngine, everyMs: number): string => {
  const checks = engine.checks.map(({id}) => id).join(', ');
  const what = context.flags.has('clean') ? 'looks and cleans' : 'looks';
  return `watch of ${engine.environment} ${what} every ${ms(everyMs)}: ${checks}`;
};

/**
 * 0 when it was stopped while nothing was under way: a service that is stopped has not failed. 130 when a run was cut
 * short after a chunk, as for every command; the next start with --clean finishes it.
 */
export const watch = async (context: Context): Promise<number> => {
  const {flags, signal} = context;
  const everyMs = everyOf(context);
  const ratePerSecond = flags.number('limit-rate');
  const engine = await context.engine();
  const confirmed = flags.has('clean') ? requireWriting(canWrite(context, engine)) : null;
  refuseOutput(context);
  if (engine.checks.length === 0)
    throw new SesstuiError(
      'config',
      'there is no check to watch',
      'Configure one; `sesstui init` writes a start.',
    );
  const [{openMemory}, {openWatcher}] = await Promise.all([
    import('../watch/memory.js'),
    import('../watch/watcher.js'),
  ]);
  const stateDirectory = await context.stateDirectory();
  const say = (line: Line): void => context.tell(lineText(line, new Date()));
  const memory = openMemory(stateDirectory, text => say({level: 'warn', check: null, text}));
  const note = context.redact(flags.text('note') ?? 'watch');
  const watcher = openWatcher(engine, {
    everyMs,
    stateDirectory,
    memory,
    allowScan: flags.has('allow-scan'),
    clean: confirmed && {note, confirmed, ratePerSecond},
    log: (level, check, text) => say({level, check, text}),
  });
  const {round, seen} = openReporter(context, say);
  const parts: Parts = {context, engine, watcher, memory, say};
  const closeAlerts = await startAlerts(parts);
  try {
    const closeServer = await startServer(parts, everyMs);
    // The last: what it tells of is kept and served by then.
    watcher.listen(round);
    say({level: 'info', check: null, text: startText(context, engine, everyMs)});
    watcher.start();
    await aborted(signal);
    say({level: 'info', check: null, text: 'stopping'});
    await Promise.all([watcher.stop(), closeServer()]);
  } finally {
    await closeAlerts();
  }
  say({level: 'info', check: null, text: 'stopped'});
  return seen.isCutShort ? 130 : 0;
};
