/**
 * A connector whose errors tell no secret (S16): neither a credential, nor a value of a secret column, which a
 * store's message may quote. Whatever shows, journals or audits an error gets it from here.
 */
import type {Change, Connector, NewValue, Outcome, Put, Unit} from './connector.js';
import {SesstuiError} from './errors.js';
import type {GuardKeeper} from './guards.js';
import {createRedactor} from './redact.js';
import {secretTexts} from './secrets.js';
import {type Json, toJson, type Value, type ValueMap} from './values.js';

type Redact = (text: string) => string;

/** The error with its texts redacted. The driver's own error is not kept: it holds details and addresses. */
export const redactedError = (error: unknown, redact: Redact): unknown => {
  if (error instanceof SesstuiError)
    return new SesstuiError(error.code, redact(error.message), redact(error.hint));
  // An abort is recognised by what it is, and says nothing of the store.
  if (error instanceof DOMException) return error;
  return error instanceof Error ? new Error(redact(error.message)) : new Error(redact(String(error)));
};

/** A quoted value longer than this is cut by the store before it gets into a message. */
const longestQuoted = 1000;

const jsonOf = (values: ValueMap): Record<string, Json> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toJson(value)]));

const imagesOf = (change: Change): unknown[] => [
  ...('image' in change ? [change.image] : []),
  ...('to' in change ? [change.to] : []),
  ...('row' in change ? [change.row] : []),
  ...('from' in change ? [change.from] : []),
];

const valuesOfSet = (set: Record<string, NewValue>): ValueMap =>
  Object.fromEntries(
    Object.entries(set).map(([name, item]): [string, Value] => [name, 'value' in item ? item.value : null]),
  );

const setOf = (change: Change): ValueMap => ('set' in change && change.set ? valuesOfSet(change.set) : {});

const secretsOf = (connector: Connector, change: Change, extra: readonly string[]): string[] => {
  const rows = imagesOf(change).map(image => connector.valuesOf(change.table, image as Json));
  return [...rows, setOf(change)].flatMap(values => secretTexts(jsonOf(values), extra));
};

/** Redacts a text about these units: credentials, and what stands in secret columns of their rows. */
const hiding = (connector: Connector, units: Unit[], {redact, secrets}: Redacting): Redact => {
  const texts = units.flatMap(unit => unit.changes.flatMap(change => secretsOf(connector, change, secrets)));
  const hide = createRedactor(texts.map(text => text.slice(0, longestQuoted)));
  return text => redact(hide(text));
};

/** The same of what a put is given to write. */
const hidingOf = ({create, update, also}: Put, {redact, secrets}: Redacting): Redact => {
  const sets = [create, update ?? {}, ...(also ?? []).map(({set}) => set)];
  const texts = sets.flatMap(set => secretTexts(jsonOf(valuesOfSet(set)), secrets));
  const hide = createRedactor(texts.map(text => text.slice(0, longestQuoted)));
  return text => redact(hide(text));
};

/** The secrets of a unit are looked for only where one of its changes failed. */
const redactedOutcomes = (outcomes: Outcome[], hiding: () => Redact): Outcome[] => {
  if (!outcomes.some(outcome => 'error' in outcome)) return outcomes;
  const hide = hiding();
  return outcomes.map(outcome => ('error' in outcome ? {...outcome, error: hide(outcome.error)} : outcome));
};

/**
 * `redact` knows the credentials; `secrets` are the columns that the store's checks name besides those that are
 * secret by their names.
 */
export type Redacting = {redact: Redact; secrets: readonly string[]};

type Fail = (error: unknown) => never;

/** Not a generator: millions of rows come through here. */
const redactedItems = (items: AsyncIterable<unknown>, fail: Fail): AsyncIterable<unknown> => ({
  [Symbol.asyncIterator]: () => {
    const rows = items[Symbol.asyncIterator]();
    return {
      next: () => rows.next().catch(fail),
      return: async () => (await rows.return?.().catch(fail)) ?? {done: true, value: undefined},
    };
  },
});

/** The same object, with every error that comes out of it through `fail`; `own` are members that it has instead. */
const guarded = <T extends object>(object: T, fail: Fail, own: Map<PropertyKey, unknown>): T =>
  new Proxy(object, {
    get: (target, name) => {
      const member = own.get(name) ?? Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        try {
          const answer = Reflect.apply(member, target, given);
          if (answer instanceof Promise) return answer.catch(fail);
          return typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer
            ? redactedItems(answer as AsyncIterable<unknown>, fail)
            : answer;
        } catch (error) {
          return fail(error);
        }
      };
    },
  });

/** What a store says of its guards tells no credential either. */
const redactedKeeper = (keeper: GuardKeeper, redact: Redact, fail: Fail): GuardKeeper => {
  const why = (text: string | null): string | null => text && redact(text);
  const state: GuardKeeper['state'] = async (rule, signal) => {
    const seen = await keeper.state(rule, signal);
    return {...seen, why: why(seen.why)};
  };
  const perform: GuardKeeper['perform'] = (rule, direction, step, {onProgress, ...options}) =>
    keeper.perform(rule, direction, step, {
      ...options,
      ...(onProgress && {onProgress: text => onProgress(redact(text))}),
    });
  const prove: GuardKeeper['prove'] = async function* (rules, signal) {
    for await (const proof of keeper.prove(rules, signal)) yield {...proof, why: why(proof.why)};
  };
  return guarded(keeper, fail, new Map<PropertyKey, unknown>(Object.entries({state, perform, prove})));
};

/** The same connector, with every error that comes out of it redacted. */
export const redactingConnector = (connector: Connector, options: Redacting): Connector => {
  const fail = (error: unknown): never => {
    throw redactedError(error, options.redact);
  };
  const apply: Connector['apply'] = async (units, applyOptions) => {
    const hide = (some: Unit[]): Redact => hiding(connector, some, options);
    const told = (outcomes: Outcome[][], from = 0): Outcome[][] =>
      outcomes.map((some, index) => redactedOutcomes(some, () => hide([units[from + index]!])));
    const {prepared} = applyOptions;
    try {
      return told(
        await connector.apply(units, {
          ...applyOptions,
          // What is journalled before a commit tells no more than what is told after it.
          ...(prepared && {
            prepared: transaction =>
              prepared({...transaction, outcomes: told(transaction.outcomes, transaction.from)}),
          }),
        }),
      );
    } catch (error) {
      throw redactedError(error, hide(units));
    }
  };
  const put: Connector['put'] = (request, putOptions) =>
    connector.put(request, putOptions).catch(error => {
      throw redactedError(error, hidingOf(request, options));
    });
  const own = new Map<PropertyKey, unknown>([
    ['apply', apply],
    ['put', put],
    ['guards', connector.guards && redactedKeeper(connector.guards, options.redact, fail)],
  ]);
  return guarded(connector, fail, own);
};
