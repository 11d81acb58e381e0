/** What follows a watch: alerts, and the HTTP server where `--listen` asks for it. */
import {parseDuration} from '../config/duration.js';
import type {FullEngine} from '../engine/engine.js';
import {type Line, runLine} from '../watch/log.js';
import type {Memory} from '../watch/memory.js';
import type {Watcher} from '../watch/watcher.js';
import type {Context} from './context.js';
import {suggestions} from './watch-printing.js';
import {canWrite} from './watch-writing.js';

export type Closing = () => Promise<void>;
/** What they follow, and how they tell of themselves. */
export type Parts = {
  context: Context;
  engine: FullEngine;
  watcher: Watcher;
  memory: Memory;
  say: (line: Line) => void;
};

/** Alerts of what the watch sees; returns how they end. */
export const startAlerts = async ({context, engine, watcher, memory, say}: Parts): Promise<Closing> => {
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

/** The longest time limit of a statement, milliseconds. */
const timeoutOf = async ({flags, config}: Context): Promise<number> => {
  const stores = Object.values((await config()).config.stores);
  return flags.duration('timeout', 1) ?? Math.max(...stores.map(({timeout}) => parseDuration(timeout)));
};

/** The HTTP server that `--listen` asks for; returns how it ends. Throws as `openServer` does. */
export const startServer = async (
  {context, engine, watcher, say}: Parts,
  everyMs: number,
): Promise<Closing> => {
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
    token: process.env.SESSTUI_TOKEN || null,
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
