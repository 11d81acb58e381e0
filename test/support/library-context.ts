/** What the library's functions work with, over a configuration of the test's own, with a logger that remembers. */
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import type {Connector} from '../../source/connector.js';
import {openEngine} from '../../source/engine/engine.js';
import type {LibraryContext, Logger} from '../../source/library/context.js';
import {redactingConnector} from '../../source/redacting.js';
import {temporaryDirectory} from './cli.js';

export type Logged = {level: keyof Logger; message: string; fields?: Record<string, unknown>};
export type Opened = {
  context: LibraryContext;
  logged: Logged[];
  stateDirectory: string;
  close: () => Promise<void>;
};

/** Of several checks of a kind the first, or the one that is named. */
export const openContext = async (
  configuration: object,
  {stateDirectory: given}: {stateDirectory?: string} = {},
): Promise<Opened> => {
  const stateDirectory = given ?? (await temporaryDirectory());
  const {config} = configFromObject({environment: 'test', ...configuration});
  const engine = openEngine(config, {
    stateDirectory,
    open: async (name, store, use) =>
      redactingConnector(await openConnector(name, store, use), {
        redact: text => text,
        secrets: store.checks.flatMap(check => check.secrets),
      }),
  });
  const writers = new Map<string, Promise<Connector>>();
  const logged: Logged[] = [];
  const log = (level: keyof Logger) => (message: string, fields?: Record<string, unknown>) =>
    void logged.push({level, message, fields});
  const context: LibraryContext = {
    engine,
    logger: {debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error')},
    checker: (kind, which, suits = () => true) => {
      const fitting = engine.checks
        .filter(info => info.kind === kind && (which.check === undefined || info.id === which.check))
        .map(({id}) => engine.checker(id));
      return fitting.find(({config: own}) => suits(own as never)) as never;
    },
    writer: ({store}) => {
      const writer = writers.get(store.name) ?? store.openWriter();
      writers.set(store.name, writer);
      return writer;
    },
  };
  const close = async (): Promise<void> => {
    for (const writer of writers.values()) await (await writer).close();
    await engine.close();
  };
  return {context, logged, stateDirectory, close};
};
