/** `plan.jsonl`: what a run was to do, for people and scripts to read; secret values as hashes. */
import type {Change, NewValue, Unit} from '../../connector.js';
import {isSecretColumn} from '../../secrets.js';
import type {Json, Value} from '../../values.js';
import {writeLines} from '../disk/backup.js';
import type {PlanHeader} from '../disk/run-files.js';
import {sha256} from '../disk/state-files.js';
import {encodeValue} from './encode.js';

const hashed = (value: Json): Json => ({$sha256: sha256(JSON.stringify(value))});

const plannedValue = (name: string, secrets: string[], value: NewValue): Json => {
  if ('value' in value) {
    const json = encodeValue(value.value as Value);
    return {value: isSecretColumn(name, secrets) ? hashed(json) : json};
  }
  return 'now' in value ? {now: true} : {remove: true};
};

const plannedChange = (change: Change, unit: number, index: number, secrets: string[]): Json => ({
  unit,
  change: index,
  op: change.op,
  table: change.table,
  identity: {
    by: change.identity.by,
    at: Object.fromEntries(
      Object.entries(change.identity.at).map(([name, value]) => [
        name,
        isSecretColumn(name, secrets) ? hashed(value) : value,
      ]),
    ),
  },
  version: change.version,
  whole: 'to' in change || change.op === 'insert',
  set:
    'set' in change && change.set
      ? Object.fromEntries(
          Object.entries(change.set).map(([name, value]) => [name, plannedValue(name, secrets, value)]),
        )
      : null,
  required: change.required ?? false,
  skip: change.skip ?? null,
  source: change.source ?? null,
});

async function* planRecords(
  header: PlanHeader,
  units: AsyncIterable<Unit>,
  secrets: string[],
): AsyncIterable<Json> {
  yield {plan: header} as unknown as Json;
  let unitNumber = 0;
  for await (const {changes} of units) {
    for (const [index, change] of changes.entries()) yield plannedChange(change, unitNumber, index, secrets);
    unitNumber++;
  }
}

/** Writes the file; returns its hash. */
export const writePlan = (
  path: string,
  header: PlanHeader,
  units: AsyncIterable<Unit>,
  secrets: string[],
): Promise<string> => writeLines(path, planRecords(header, units, secrets));
