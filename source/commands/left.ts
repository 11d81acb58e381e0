/** Why `clean` plans nothing, or not for everything that was named: no changes must not read as all is well. */
import type {Part} from '../checks/check.js';
import type {Checker, Opened} from '../engine/checker.js';
import {isChosen, narrowed, reasonsTaken} from '../engine/selecting.js';
import type {Finding, Plan, Selection} from '../types.js';
import {toText} from '../values.js';
import {counted} from '../words.js';

type Named = {selection: Selection; text: string};

/** Each name that was typed, alone. */
const namesOf = ({ids = [], groups = [], customer}: Selection): Named[] => [
  ...ids.map(id => ({selection: {ids: [id]}, text: `has the id ${id}`})),
  ...groups.map(group => ({selection: {groups: [group]}, text: `is of the group ${group}`})),
  ...(customer === undefined ? [] : [{selection: {customer}, text: `is of the customer ${customer}`}]),
];

/** What the plan is known to have found needs no second look. */
const mayBeMissing = ({selection}: Named, {planned, changes}: Plan, alone: boolean): boolean =>
  planned === 0 ||
  (!alone &&
    !(
      selection.ids &&
      changes.some(({key}) => selection.ids!.includes(Object.values(key).map(toText).join(' ')))
    ));

const partsOf = (checker: Checker, opened: Opened, action: string): Part[] =>
  checker.check.actions.find(({name}) => name === action)?.byId
    ? [checker.check.sessions!(checker.config, opened.shapes)]
    : opened.parts;

type Seen = {missing: Set<Named>; byHand: number; byReason: Map<string, number>};

const look = (
  checker: Checker,
  action: string,
  selection: Selection,
  missing: Set<Named>,
  signal: AbortSignal,
): Promise<Seen> =>
  checker.ask(
    async opened => {
      const seen: Seen = {missing, byHand: 0, byReason: new Map()};
      const {groups, customer} = selection;
      const parts = partsOf(checker, opened, action).map(part => ({
        ...part,
        // Only one of the two: each name is looked for on its own.
        form: groups && customer !== undefined ? part.form : narrowed(part, {groups, customer}),
      }));
      for await (const {part, judged, finding} of checker.findings(opened, {parts, signal})) {
        for (const named of seen.missing)
          if (isChosen(named.selection, part, judged, finding)) seen.missing.delete(named);
        if (isChosen(selection, part, judged, finding)) countLeft(checker, action, selection, finding, seen);
      }
      return seen;
    },
    {signal, insist: true},
  );

/** A finding that the action would deal with, if it were named. */
const countLeft = (
  {check}: Checker,
  action: string,
  selection: Selection,
  finding: Finding,
  seen: Seen,
): void => {
  if (!finding.actions.includes(action)) return;
  if (reasonsTaken(check, action, selection, finding, finding.actions).length > 0) return;
  const named = {...selection, findings: [finding.id]};
  const reason = finding.reasons.find(name =>
    check.reasons.find(meta => meta.name === name && meta.onlyWhenNamed)?.actions.includes(action),
  );
  if (reason !== undefined) seen.byReason.set(reason, (seen.byReason.get(reason) ?? 0) + 1);
  else if (reasonsTaken(check, action, named, finding, finding.actions).length > 0) seen.byHand++;
};

const are = (count: number): string => `${counted(count, 'finding')} ${count === 1 ? 'is' : 'are'} left`;

/**
 * Notes on the names that no finding has, and, where nothing is planned, on the findings that the action takes only
 * when they are named. Reads the check again, but only when something may be missing.
 */
export const leftNotes = async (
  checker: Checker,
  action: string,
  selection: Selection,
  plan: Plan,
  signal: AbortSignal,
): Promise<string[]> => {
  const names = namesOf(selection);
  const missing = new Set(names.filter(named => mayBeMissing(named, plan, names.length === 1)));
  if (missing.size === 0 && plan.planned > 0) return [];
  const seen = await look(checker, action, selection, missing, signal);
  const what = checker.check.actions.find(({name}) => name === action)?.byId ? 'session' : 'finding';
  const notes = [...seen.missing].map(({text}) => `no ${what} ${text}`);
  if (plan.planned > 0) return notes;
  if (seen.byHand > 0) notes.push(`${are(seen.byHand)}: ${action} takes such only by --group or --id`);
  for (const [reason, count] of seen.byReason)
    notes.push(`${are(count)}: ${action} takes such only by --reason ${reason}`);
  return notes;
};
