/** Is there an index as an `index` rule wants it, and what is left to be done about it? */
import type {TableDescription} from '@aws-sdk/client-dynamodb';
import {SesstuiError} from '../../../source/errors.js';
import type {GuardDirection, GuardSeen, GuardStep} from '../../../source/guards.js';
import {compileProjection} from '../compile.js';
import type {Store} from '../store.js';
import {attributesOfSchema} from '../tables.js';
import {
  creationRequest,
  type IndexRule,
  indexesOf,
  indexNameOf,
  isPrimaryKey,
  lacks,
  ownIndex,
  removalRequest,
  servingIndex,
} from './definition.js';
import {assumption, type KeyTypes, keyTypes, leftOutInSample, undefinedColumns} from './key-types.js';

const tableNamePattern = /^[\w.-]{3,255}$/;

/** The table as it is; null where there is none. */
export const lookAt = async (
  store: Store,
  table: string,
  signal?: AbortSignal,
): Promise<TableDescription | null> => {
  if (!tableNamePattern.test(table)) return null;
  try {
    const {Table} = await store.client.read('DescribeTable', {TableName: table}, signal);
    return Table!;
  } catch (error) {
    if (error instanceof SesstuiError && error.code === 'not-found') return null;
    throw error;
  }
};

/** What DynamoDB can't have an index on, whatever the table is like. */
export const refusesIndex = ({columns}: IndexRule): string | null => {
  if (columns.length > 2)
    return `DynamoDB's indexes have a key of one or two attributes, and groupBy names ${columns.length}`;
  const inner = columns.find(name => name.includes('.'));
  return inner === undefined
    ? null
    : `DynamoDB's indexes are on attributes of a row, and ${inner} is inside one`;
};

const wordsOf = (rule: IndexRule, table: TableDescription): GuardSeen | null => {
  if (isPrimaryKey(rule, table)) return {state: 'installed', why: `the key of ${rule.table} does it`};
  const name = indexNameOf(rule);
  const serving = servingIndex(rule, table);
  if (serving) {
    if (serving.IndexStatus === 'CREATING' || serving.Backfilling)
      return {state: 'drifted', why: `${serving.IndexName} is being built`};
    const missing = lacks(serving, rule, table);
    const words = [
      ...(ownIndex(rule, table) === serving
        ? []
        : [`${serving.IndexName} does it; this guard did not make it, and leaves it where it is`]),
      ...(missing.length > 0 ? [`it lacks ${missing.join(', ')}, for which the check reads the table`] : []),
    ];
    return {state: 'installed', why: words.join('; ') || null};
  }
  const namesake = indexesOf(table).find(index => index.IndexName === name);
  if (!namesake) return null;
  if (namesake.IndexStatus === 'DELETING') return {state: 'drifted', why: `${name} is being deleted`};
  const key = attributesOfSchema(namesake.KeySchema).join(', ');
  return {state: 'drifted', why: `the key of ${name} is ${key}, not ${rule.columns.join(', ')}`};
};

/** How long a look at the rows is good for: a screen asks every few seconds. */
const freshMs = 60_000;

type IndexKeeper = {
  state(rule: IndexRule, signal?: AbortSignal): Promise<GuardSeen>;
  steps(rule: IndexRule, direction: GuardDirection, signal?: AbortSignal): Promise<GuardStep[]>;
};

const unsupported = (rule: IndexRule, why: string | null, hint = ''): SesstuiError =>
  new SesstuiError('unsupported', `${rule.table} can't have the index ${indexNameOf(rule)}: ${why}.`, hint);

const request = (operation: string, input: unknown): string => `${operation} ${JSON.stringify(input)}`;

const waiting = (rule: IndexRule, words: string): GuardStep => ({
  name: 'wait',
  phase: 'enforce',
  text: `Waits until ${indexNameOf(rule)} ${words}.`,
  statements: [request('DescribeTable', {TableName: rule.table})],
});

/** What an install does, where nothing does it already. */
const building = async (
  store: Store,
  rule: IndexRule,
  table: TableDescription,
  signal?: AbortSignal,
): Promise<GuardStep[]> => {
  const known = await keyTypes(store, rule, table, signal);
  if ('why' in known) throw unsupported(rule, known.why, 'Nothing was changed.');
  const names = rule.columns.join(', ');
  const projected = compileProjection(rule.columns);
  const reads: GuardStep = {
    name: 'types',
    phase: 'prepare',
    text: `Reads ${names} of every row of ${rule.table}, once: an index leaves out rows of another type, unseen.`,
    statements: [
      request('Scan', {
        TableName: rule.table,
        ConsistentRead: true,
        ReturnConsumedCapacity: 'TOTAL',
        ProjectionExpression: projected.projection,
        ...projected.request,
      }),
    ],
  };
  const of = rule.columns.map(name => `${name} (${known.types[name]})`).join(', ');
  const guess = assumption(known.assumed, rule.table);
  const builds: GuardStep = {
    name: 'index',
    phase: 'enforce',
    text:
      `Builds the index ${indexNameOf(rule)} on ${of} beside all reads and writes. From then on DynamoDB refuses rows ` +
      `whose ${names} is null, empty or of another type; it takes rows without.${guess ? ` ${guess}.` : ''}`,
    statements: [request('UpdateTable', creationRequest(rule, table, known.types))],
  };
  return undefinedColumns(rule, table).length > 0 ? [reads, builds] : [builds];
};

const installing = async (store: Store, rule: IndexRule, signal?: AbortSignal): Promise<GuardStep[]> => {
  const fault = refusesIndex(rule);
  if (fault) throw unsupported(rule, fault);
  const table = await lookAt(store, rule.table, signal);
  if (!table) throw unsupported(rule, 'there is no such table');
  const seen = wordsOf(rule, table);
  if (seen?.state === 'installed') return [];
  if (servingIndex(rule, table)) return [waiting(rule, 'is built')];
  const isLeaving = indexesOf(table).some(
    index => index.IndexName === indexNameOf(rule) && index.IndexStatus === 'DELETING',
  );
  if (seen && !isLeaving)
    throw unsupported(rule, seen.why, 'Remove or rename that index first, when nobody asks it any more.');
  return building(store, rule, table, signal);
};

const uninstalling = async (store: Store, rule: IndexRule, signal?: AbortSignal): Promise<GuardStep[]> => {
  const table = await lookAt(store, rule.table, signal);
  const own = table && ownIndex(rule, table);
  if (!own) return [];
  if (own.IndexStatus === 'DELETING') return [{...waiting(rule, 'is gone'), phase: 'tidy'}];
  const wait =
    own.IndexStatus === 'CREATING' ? ' It is being built still: waits until it can be removed.' : '';
  return [
    {
      name: 'index',
      phase: 'tidy',
      text: `Removes the index ${indexNameOf(rule)} of ${rule.table}.${wait}`,
      statements: [request('UpdateTable', removalRequest(rule, rule.table))],
    },
  ];
};

/** An answer for each rule that is good for a while. */
const fresh = <T>() => {
  const answers = new Map<string, {at: number; answer: T}>();
  return async (rule: IndexRule, ask: () => Promise<T>): Promise<T> => {
    const name = JSON.stringify(rule);
    const last = answers.get(name);
    if (last && Date.now() - last.at < freshMs) return last.answer;
    const answer = await ask();
    answers.set(name, {at: Date.now(), answer});
    return answer;
  };
};

export const indexKeeper = (store: Store): IndexKeeper => {
  const types = fresh<KeyTypes>();
  const leftOut = fresh<string | null>();
  return {
    state: async (rule, signal) => {
      const fault = refusesIndex(rule);
      if (fault) return {state: 'unavailable', why: fault};
      const table = await lookAt(store, rule.table, signal);
      if (!table) return {state: 'unavailable', why: `there is no table ${rule.table}`};
      const seen = wordsOf(rule, table);
      if (seen?.state === 'installed' && !isPrimaryKey(rule, table)) {
        const less = await leftOut(rule, () => leftOutInSample(store, rule, table, signal));
        return {...seen, why: [seen.why, less].filter(words => words !== null).join('; ') || null};
      }
      if (seen) return seen;
      const known = await types(rule, () => keyTypes(store, rule, table, signal));
      return 'why' in known
        ? {state: 'unavailable', why: known.why}
        : {state: 'missing', why: assumption(known.assumed, rule.table)};
    },
    steps: (rule, direction, signal) =>
      direction === 'install' ? installing(store, rule, signal) : uninstalling(store, rule, signal),
  };
};
