/** What the library's functions work with, made of an engine: which check a call is about, and what may write. */
import type {CheckConfig} from '../config/schema.js';
import type {Connector} from '../connector.js';
import type {Checker} from '../engine/checker.js';
import type {FullEngine} from '../engine/engine.js';
import {SesstuiError} from '../errors.js';
import type {CheckKind} from '../types.js';
import type {LibraryContext, Logger, Which} from './context.js';

type Suits = (config: CheckConfig) => boolean;

/** The one check of a kind; throws `usage` where there is none, or several and none is named. */
const chooseChecker = (engine: FullEngine, kind: CheckKind, which: Which, suits: Suits): Checker => {
  const fitting = engine.checks
    .filter(info => info.kind === kind)
    .map(({id}) => engine.checker(id))
    .filter(({config}) => suits(config));
  const ids = fitting.map(({id}) => id).join(', ');
  if (which.check !== undefined) {
    const named = engine.checker(which.check);
    if (fitting.includes(named)) return named;
    throw new SesstuiError(
      'usage',
      `check ${named.id} is not one that this function works with`,
      ids ? `These are: ${ids}.` : `Configure a ${kind} check for it.`,
    );
  }
  if (fitting.length === 1) return fitting[0]!;
  throw new SesstuiError(
    'usage',
    fitting.length === 0
      ? `no ${kind} check is configured that this function could work with`
      : `several checks would do: ${ids}`,
    fitting.length === 0
      ? 'Add one to the store in the configuration.'
      : `Name the one that is meant: {check: '${fitting[0]!.id}'}.`,
  );
};

/**
 * Throws `read-only` where a configuration or an option says so. Production's default is none: an application that
 * calls a function that writes has said that it wants to (contract: Library).
 */
export const requireWritable = ({readOnlyBy}: Pick<FullEngine, 'readOnlyBy'>): void => {
  if (readOnlyBy === null || readOnlyBy === 'production') return;
  throw new SesstuiError(
    'read-only',
    readOnlyBy === 'flag' ? 'openSesstui was given readOnly: true' : 'the configuration says readOnly: true',
    'Nothing lifts this: open it without readOnly, with a configuration that allows writing.',
  );
};

/** `close` ends the connections that write; the engine's are its own. */
export const makeLibraryContext = (
  engine: FullEngine,
  logger: Logger,
): {context: LibraryContext; close: () => Promise<void>} => {
  const writers = new Map<string, Promise<Connector>>();
  const context: LibraryContext = {
    engine,
    logger,
    checker: <C extends CheckConfig>(kind: CheckKind, which: Which, suits?: (config: C) => boolean) =>
      chooseChecker(engine, kind, which, (suits as Suits | undefined) ?? (() => true)) as Checker & {
        readonly config: C;
      },
    writer: async ({store}) => {
      requireWritable(engine);
      const open = (): Promise<Connector> => {
        const opening = store.openWriter();
        // What could not be opened is opened anew by the next call.
        opening.catch(() => writers.delete(store.name));
        writers.set(store.name, opening);
        return opening;
      };
      return writers.get(store.name) ?? open();
    },
  };
  const close = async (): Promise<void> => {
    for (const writer of writers.values()) await (await writer.catch(() => undefined))?.close();
  };
  return {context, close};
};
