/**
 * The engine over a loaded configuration, as the command line and the library open it: every store behind a connector
 * whose errors tell no secret (safety S16), and nothing connected before it is asked.
 */
import type {LoadedConfig} from './config/load.js';
import {type EngineOptions, type FullEngine, openEngine} from './engine/engine.js';
import type {OpenConnector} from './engine/stores.js';
import {redactingConnector} from './redacting.js';

export type Opening = Omit<EngineOptions, 'open'> & {
  /** Removes credentials from a text; asked at each error, so that it may get to know more of them. */
  redact: (text: string) => string;
  /** Awaited before a store is opened (the demo's start behind the screen). */
  ready?: (store: string) => Promise<void>;
};

/** `openConnector` is given: only the commands and the library know the connectors. */
export const openConfigured = (
  {config}: LoadedConfig,
  openConnector: OpenConnector,
  {redact, ready, ...options}: Opening,
): FullEngine =>
  openEngine(config, {
    ...options,
    open: async (name, store, settings) => {
      await ready?.(name);
      const secrets = store.checks.flatMap(check => check.secrets);
      return redactingConnector(await openConnector(name, store, settings), {redact, secrets});
    },
  });

/** The user's state directory (contract: `--state-dir`). */
export const defaultStateDirectory = async (): Promise<string> => {
  const {default: envPaths} = await import('env-paths');
  const paths = envPaths('sesstui', {suffix: ''});
  // env-paths calls XDG's state directory `log`.
  return process.platform === 'linux' ? paths.log : paths.data;
};
