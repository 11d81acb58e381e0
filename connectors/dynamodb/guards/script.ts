/** A script that does without sesstui what an install or uninstall does: bash with the AWS CLI. */
import type {GuardDirection, NamedRule} from '../../../source/guards.js';
import type {Store} from '../store.js';
import {attributesOfSchema, type KeyType} from '../tables.js';
import {
  hasKey,
  type IndexRule,
  indexesOf,
  indexNameOf,
  isPrimaryKey,
  ownIndex,
  type Types,
  type WritePathRule,
} from './definition.js';
import {lookAt, refusesIndex} from './index-state.js';
import {assumption, keyTypes} from './key-types.js';
import {indexDown, indexUp} from './script-index.js';
import {whyNoWritePath, writePathUp} from './script-write-path.js';
import {comment} from './shell.js';

/** The index's part; words where it can't be, or need not be. */
const indexPart = async (
  store: Store,
  rule: IndexRule,
  direction: GuardDirection,
  signal?: AbortSignal,
): Promise<string[]> => {
  const fault = refusesIndex(rule);
  if (fault) return comment([`There can be no index: ${fault}.`]);
  const table = await lookAt(store, rule.table, signal);
  const name = indexNameOf(rule);
  const namesake = table && indexesOf(table).find(index => index.IndexName === name);
  if (direction === 'uninstall')
    return namesake && !ownIndex(rule, table)
      ? comment([`The index ${name} of ${rule.table} is not this guard's: it stays.`])
      : inSubshell(indexDown(rule));
  if (!table) return comment([`There can be no index: there is no table ${rule.table}.`]);
  if (namesake && !hasKey(namesake, rule))
    return comment([`There is an index ${name} already, on something else: remove that one first.`]);
  if (isPrimaryKey(rule, table)) return comment([`No index is needed: the key of ${rule.table} does it.`]);
  const known = await keyTypes(store, rule, table, signal);
  if ('why' in known) return comment([`There can be no index: ${known.why}.`]);
  const guess = assumption(known.assumed, rule.table);
  return [...(guess ? comment([`${guess}.`]) : []), ...inSubshell(indexUp(rule, table, known.types))];
};

/** So that its functions and variables are nobody else's; not where the script is asked to write a row. */
const inSubshell = (lines: string[]): string[] => [`if [ "\${1:-}" != upsert ]; then (`, ...lines, '); fi'];

const writePathPart = async (
  store: Store,
  rule: WritePathRule,
  direction: GuardDirection,
  signal?: AbortSignal,
): Promise<string[]> => {
  if (direction === 'uninstall')
    return comment(['The write path is how writers write: there is nothing to take away.']);
  const table = await lookAt(store, rule.table, signal);
  const key = attributesOfSchema(table?.KeySchema);
  const why = whyNoWritePath(rule, key);
  if (why) return comment([why]);
  const index = {rule: 'index' as const, table: rule.table, columns: rule.groupBy};
  const known = table ? await keyTypes(store, index, table, signal) : {types: {}};
  const defined = Object.fromEntries(
    (table?.AttributeDefinitions ?? []).map(one => [one.AttributeName!, one.AttributeType as KeyType]),
  );
  const types: Types = 'types' in known ? known.types : defined;
  return writePathUp(rule, types);
};

const partOf = async (
  store: Store,
  {guard, rule}: NamedRule,
  direction: GuardDirection,
  signal?: AbortSignal,
): Promise<string[]> => {
  const title = comment(['', `${guard} of ${rule.table}`]);
  if (rule.rule === 'index') return [...title, ...(await indexPart(store, rule, direction, signal))];
  if (rule.rule === 'write-path') return [...title, ...(await writePathPart(store, rule, direction, signal))];
  return [...title, ...comment(['DynamoDB has no such thing.'])];
};

/** The script of these guards; it runs any number of times. Asks the store for key types. */
export const scriptOf = async (
  store: Store,
  rules: NamedRule[],
  direction: GuardDirection,
  signal?: AbortSignal,
): Promise<string> => {
  const parts: string[] = [];
  for (const rule of rules) parts.push(...(await partOf(store, rule, direction, signal)));
  return [
    '#!/usr/bin/env bash',
    ...comment([
      'Runs any number of times, with the AWS CLI and its usual settings (AWS_PROFILE or keys, AWS_REGION; AWS_ENDPOINT_URL',
      'for a server that is not AWS). WAIT_SECONDS is how often it looks, 5 unless it is set.',
    ]),
    'set -euo pipefail',
    ...parts,
    '',
  ].join('\n');
};
