/** Whether what a run told is so: each outcome compared with what a client of its own reads. */
import type {RunResult, ShownChange} from '../../source/types.js';
import type {Stored, System} from './operators-system.js';

export type Snapshot = {rows: Map<string, Stored>; references: Map<string, string | null>};

export const snapshotOf = async (system: System): Promise<Snapshot> => ({
  rows: await system.rows(),
  references: (await system.references?.()) ?? new Map(),
});

const stateOf = ({rows, references}: Snapshot, name: string): string | undefined =>
  name.startsWith('accounts/')
    ? (references.get(name.slice('accounts/'.length)) ?? undefined)
    : JSON.stringify(rows.get(name));

/** Was this change made, by what is there? */
const isMade = (system: System, change: ShownChange, before: Snapshot, now: Snapshot): boolean => {
  const name = system.nameOf(change);
  return stateOf(before, name) !== stateOf(now, name);
};

const duplicateGroups = ({rows}: Snapshot): number => {
  const sizes = new Map<string, number>();
  for (const {group} of rows.values()) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return [...sizes.values()].filter(size => size > 1).length;
};

/** What is wrong with what a run told, a sentence each. */
export const liesOf = (system: System, result: RunResult, before: Snapshot, now: Snapshot): string[] => {
  const lies: string[] = [];
  for (const change of result.changes) {
    const made = isMade(system, change, before, now);
    if (change.result === 'unknown') continue;
    if (made !== (change.result === 'applied'))
      lies.push(
        `${change.op} ${system.nameOf(change)} was told ${change.result} (${change.error ?? change.why ?? ''}) and was ${made ? '' : 'not '}made`,
      );
  }
  const {planned, applied, skipped, failed, unknown, remaining} = result;
  if (planned !== result.changes.length || planned !== applied + skipped + failed + unknown)
    lies.push(`${planned} planned are not ${applied} + ${skipped} + ${failed} + ${unknown}`);
  for (const name of ['applied', 'skipped', 'failed', 'unknown'] as const)
    if (result.changes.filter(change => change.result === name).length !== result[name])
      lies.push(`${result[name]} ${name} are not those of the changes`);
  if (remaining !== null && remaining !== duplicateGroups(now))
    lies.push(`${remaining} are told to remain, and it is ${duplicateGroups(now)}`);
  return lies;
};

/** Sentences where two snapshots differ. */
export const differences = (one: Snapshot, two: Snapshot): string[] => {
  const names = [
    ...new Set([...one.rows.keys(), ...two.rows.keys()]),
    ...[...one.references.keys()].map(group => `accounts/${group}`),
  ];
  return names
    .filter(name => stateOf(one, name) !== stateOf(two, name))
    .map(name => `${name} is ${stateOf(two, name)} and was ${stateOf(one, name)}`);
};
