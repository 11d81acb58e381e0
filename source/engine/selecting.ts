/** Which findings an action takes: what the user narrowed it to, and what the check's rules leave out. */
import type {Check, Judged, Part} from '../checks/check.js';
import {nearest} from '../config/nearest.js';
import {SesstuiError} from '../errors.js';
import {normalise} from '../evaluate.js';
import type {Form, Pred} from '../forms.js';
import type {ActionMeta, Finding, ReasonMeta, Selection} from '../types.js';
import {groupTexts, keyOf, keyText} from './findings.js';

const named = (reasons: ReasonMeta[], action: string): ReasonMeta[] =>
  reasons.filter(reason => reason.actions.includes(action));

/** Throws `usage` for an action or reason that the check doesn't have, or that don't go together. */
export const checkWords = (
  id: string,
  check: Check,
  offered: ActionMeta[],
  action: string,
  selection: Selection,
): void => {
  const actions = offered.map(({name}) => name);
  if (!actions.includes(action)) {
    const near = nearest(action, actions);
    throw new SesstuiError(
      'usage',
      `check ${id} has no action "${action}"${near ? `; the nearest is "${near}"` : ''}`,
      `Its actions: ${actions.join(', ')}.`,
    );
  }
  for (const reason of selection.reasons ?? []) {
    const meta = check.reasons.find(({name}) => name === reason);
    if (!meta) {
      const near = nearest(
        reason,
        check.reasons.map(({name}) => name),
      );
      throw new SesstuiError(
        'usage',
        `check ${id} has no reason "${reason}"${near ? `; the nearest is "${near}"` : ''}`,
        `Its reasons: ${check.reasons.map(({name}) => name).join(', ')}.`,
      );
    }
    if (!meta.actions.includes(action)) {
      throw new SesstuiError(
        'usage',
        `action ${action} does nothing about ${reason}`,
        `${reason} is dealt with by: ${meta.actions.join(', ') || 'no action'}.`,
      );
    }
  }
};

/** The reasons that an action deals with under a selection: what `remaining` counts. */
export const dealtReasons = (check: Check, action: string, selection: Selection): string[] =>
  check.actions.find(({name}) => name === action)?.byId
    ? []
    : named(check.reasons, action)
        .filter(({name, onlyWhenNamed}) =>
          selection.reasons
            ? selection.reasons.includes(name)
            : !onlyWhenNamed || selection.findings !== undefined,
        )
        .map(({name}) => name);

/** A part's form narrowed as far as the store can: single-column groups and customers. The rest is `isChosen`'s. */
export const narrowed = (part: Part, selection: Selection): Form => {
  const wanted: Pred[] = [];
  if (part.group.length === 1) {
    const of = part.group[0]!;
    const texts = 'norm' in of ? (values: string[]) => values.map(normalise) : (values: string[]) => values;
    if (selection.groups && !selection.groups.some(isJsonWord))
      wanted.push({in: texts(selection.groups), of});
    if (selection.customer !== undefined) wanted.push({in: texts([selection.customer]), of});
  }
  return wanted.length === 0 ? part.form : {...part.form, where: {all: [part.form.where, ...wanted]}};
};

/** `null` names findings whose group is absent: no value to narrow by. */
const isJsonWord = (text: string): boolean => text === 'null' || text.startsWith('[') || text.startsWith('"');

/** Was this finding chosen? By hand means by its group, its key or a mark. */
export const isChosen = (selection: Selection, part: Part, judged: Judged, finding: Finding): boolean => {
  const {groups, customer, ids, findings, olderThanMs} = selection;
  const texts = groupTexts(judged.group);
  const isEmail = part.group.length === 1 && 'norm' in part.group[0]!;
  const same = (wanted: string): boolean =>
    texts.includes(isEmail ? normalise(wanted) : wanted) || sameJson(wanted, texts);
  if (groups && !groups.some(same)) return false;
  if (customer !== undefined && !same(customer)) return false;
  if (ids && !judged.rows.some(({row}) => ids.includes(keyText(keyOf(row))))) return false;
  if (findings && !findings.includes(finding.id)) return false;
  return (
    olderThanMs === undefined || (finding.ageSeconds !== null && finding.ageSeconds * 1000 > olderThanMs)
  );
};

/** A JSON array or value that was typed with other white space is still the same. */
const sameJson = (wanted: string, texts: string[]): boolean => {
  try {
    return texts.includes(JSON.stringify(JSON.parse(wanted)));
  } catch {
    return false;
  }
};

/** The reasons of a finding that the action deals with; empty when it leaves the finding alone. */
export const reasonsTaken = (
  check: Check,
  action: string,
  selection: Selection,
  finding: Finding,
  offered: string[],
): string[] => {
  if (!offered.includes(action)) return [];
  const byHand =
    selection.groups !== undefined || selection.ids !== undefined || selection.findings !== undefined;
  const onlyByReason = finding.reasons.every(
    name => check.reasons.find(reason => reason.name === name)?.onlyWhenNamed,
  );
  if (finding.byHand && !byHand && !(onlyByReason && selection.reasons)) return [];
  const dealt = dealtReasons(check, action, selection);
  return finding.reasons.filter(reason => dealt.includes(reason));
};
