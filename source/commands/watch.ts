/** `watch`: looks at every check on an interval until it is stopped; cleans, serves and alerts where it is told to. */
import ms from 'ms';
import {aborted} from '../aborted.js';
import {parseDuration} from '../config/duration.js';
import type {FullEngine} from '../engine/engine.js';
import {SesstuiError} from '../errors.js';
import {toNdjson} from '../output/ndjson.js';
import type {CanWrite} from '../watch/http/cleanup.js';
import {type Line, lineText, openLog, runLine, type Suggest} from '../watch/log.js';
import type {Memory} from '../watch/memory.js';
import type {Round, RoundListener} from '../watch/round.js';
import type {Watcher} from '../watch/watcher.js';
import type {Context} from './context.js';
import {suggested} from './suggest.js';

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

/** Whether anything may be written, and what was typed for it; asked once, at the start. */
const canWrite = ({flags}: Context, engine: FullEngine): CanWrite => {
  const {readOnlyBy, production, environment} = engine;
  if (readOnlyBy === 'flag') return {ok: false, code: 'read-only', text: '--read-only was given'};
  if (readOnlyBy === 'configuration')
    return {ok: false, code: 'read-only', text: 'the configuration says readOnly: true'};
  const confirmed = flags.all('confirm') ?? [];
  if (!production || (flags.has('yes') && confirmed.includes(environment))) return {ok: true, confirmed};
  const text = `${environment} is production: it needs --yes --confirm ${environment}`;
  return {ok: false, code: 'confirmation', text};
};

const requireWriting = (can: CanWrite): string[] => {
  if (can.ok) return can.confirmed;
  throw new SesstuiError(
    can.code,
    `watch --clean: ${can.text}`,
    'Nothing was looked at. Without --clean it only looks.',
  );
};

/** A round as a line of JSON: what was seen, and what was done without the single changes. */
const summaryOf = (
  {environment, look, stores, runs, customers, refused}: Round,
  redact: Context['redact'],
) => ({
  environment,
  ...look,
  ...(look.error ? {error: {...look.error, message: redact(look.error.message)}} : {}),
  stores: stores.map(({store, state}) => ({store, state})),
  runs: runs.map(({changes: _, ...run}) => ({...run, customers: customers[run.run ?? ''] ?? []})),
  refused: refused.map(({action, text}) => ({action, text: redact(text)})),
});

type Closing = () => Promise<void>;
type Parts = {
  context: Context;
  engine: FullEngine;
  watcher: Watcher;
  memory: Memory;
  say: (line: Line) => void;
};

const startAlerts = async ({context, engine, watcher, memory, say}: Parts): Promise<Closing> => {
  const [{openAlerts}, {openMissed}] = await Promise.all([
    import('../watch/alerts/alerts.js'),
    import('../watch/alerts/missed.js'),
  ]);
  const alerts = openAlerts({
    memory,
    environment: engine.environment,
    // Many such addresses hold a key: in the environment no list of processes shows it.
    webhook: context.flags.text('webhook') ?? (process.env.SESSTUI_WEBHOOK || null),
    secret: process.env.SESSTUI_WEBHOOK_SECRET || null,
    log: (level, text) => say({level, check: null, text}),
    redact: context.redact,
    missed: openMissed(await context.stateDirectory(), engine),
  });
  watcher.listen(alerts.round);
  return () => alerts.close();
};

const timeoutOf = async ({flags, config}: Context): Promise<number> => {
  const stores = Object.values((await config()).config.stores);
  return flags.duration('timeout', 1) ?? Math.max(...stores.map(({timeout}) => parseDuration(timeout)));
};

const startServer = async ({context, engine, watcher, say}: Parts, everyMs: number): Promise<Closing> => {
  const {flags} = context;
  const text = flags.text('listen');
  if (text === undefined) return async () => undefined;
  const {exposureWarning, openServer, parseListen} = await import('../watch/http/server.js');
  const address = parseListen(text);
  const warning = exposureWarning(address);
  const server = await openServer({
    engine,
    watcher,
    address,
    token: process.env.SESSTUI_TOKEN ?? null,
    canWrite: canWrite(context, engine),
    redact: context.redact,
    environment: engine.environment,
    signal: context.signal,
    everyMs,
    timeoutMs: await timeoutOf(context),
    sameFlags: ['config', 'state-dir'].flatMap(name => {
      const value = flags.text(name);
      return value === undefined ? [] : [`--${name}`, value];
    }),
    onRuns: runs => {
      for (const run of runs) if (run.run !== null) say(runLine(run, [], suggestions(context)));
    },
  });
  if (warning) say({level: 'warn', check: null, text: warning});
  say({level: 'info', check: null, text: `listening on ${server.url}`});
  return () => server.close();
};

/** Commands on the same configuration and state directory; none where the stores end with this one. */
const suggestions = (context: Context): Suggest =>
  context.flags.has('demo') ? null : words => suggested(context, words);

/** What is printed of each round, and whether the last of them was cut short. */
const reporter = (context: Context, say: (line: Line) => void) => {
  const linesOf = openLog(suggestions(context));
  const seen = {isCutShort: false};
  const round: RoundListener = async told => {
    if (context.signal.aborted && told.runs.some(({interrupted}) => interrupted)) seen.isCutShort = true;
    for (const line of linesOf(told)) say(line);
    if (context.output === 'ndjson') await context.print(toNdjson([summaryOf(told, context.redact)]));
  };
  return {round, seen};
};

const startText = ({context, engine}: Pick<Parts, 'context' | 'engine'>, everyMs: number): string => {
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
  refuseOutput(context);
  const everyMs = everyOf(context);
  const ratePerSecond = flags.number('limit-rate');
  const engine = await context.engine();
  const confirmed = flags.has('clean') ? requireWriting(canWrite(context, engine)) : null;
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
  const {round, seen} = reporter(context, say);
  const parts: Parts = {context, engine, watcher, memory, say};
  const closeAlerts = await startAlerts(parts);
  try {
    const closeServer = await startServer(parts, everyMs);
    // The last: what it tells of is kept and served by then.
    watcher.listen(round);
    say({level: 'info', check: null, text: startText(parts, everyMs)});
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
