/** Marks, and what a plan takes because of them. */
import type {ActionMeta, CheckInfo, Finding, Selection} from '../types.js';
import {keyText, matches} from './filter.js';
import {isWhole, type List, loadedItems, noMarks} from './lists.js';
import type {Choice} from './modes.js';
import {findingOf, shown, underCursor} from './shown.js';

export const isMarked = (list: List, finding: Finding): boolean =>
  list.marks.all ? !finding.byHand && finding.actions.length > 0 : list.marks.ids.has(finding.id);

/** How many are marked, and how many of those the filter hides. */
export const markCounts = (list: List): {marked: number; hidden: number} => {
  if (list.marks.all) return {marked: list.total ?? 0, hidden: 0};
  let hidden = 0;
  for (const finding of list.marks.ids.values()) if (!matches(finding, list.filter)) hidden++;
  return {marked: list.marks.ids.size, hidden};
};

const withIds = (list: List, change: (ids: Map<string, Finding>) => void): List => {
  const ids = new Map(list.marks.all ? [] : list.marks.ids);
  change(ids);
  return {...list, marks: {all: false, ids}};
};

/** Marks these, or takes their marks away where all of them are marked. */
export const toggle = (list: List, findings: readonly Finding[]): List =>
  withIds(list, ids => {
    const all = findings.every(finding => ids.has(finding.id));
    for (const finding of findings) {
      if (all) ids.delete(finding.id);
      else ids.set(finding.id, finding);
    }
  });

/** The findings on the list between two places, both of them with it. */
export const between = (list: List, from: number, to: number): Finding[] => {
  const rows = shown(list);
  const found: Finding[] = [];
  for (let index = Math.min(from, to); index <= Math.max(from, to); index++) {
    const row = rows.at(index);
    if (row.kind === 'finding' && !row.gone) found.push(row.finding);
  }
  return found;
};

/** Rows that an action may take without having been pointed at one by one. */
const takeable = (list: List): Finding[] =>
  loadedItems(list)
    .map(item => item.finding)
    .filter(finding => !finding.byHand && finding.actions.length > 0 && matches(finding, list.filter));

/**
 * Marks all that the filter shows, except what has to be chosen by hand. Where more rows exist than are loaded,
 * they are marked as a rule: their ids are never held.
 */
export const markAll = (list: List): List => {
  if (!isWhole(list) && list.filter === '' && list.source === 'findings')
    return {...list, marks: {all: true}};
  return withIds(list, ids => {
    for (const finding of takeable(list)) ids.set(finding.id, finding);
  });
};

export const markNone = (list: List): List => ({...list, marks: noMarks, anchor: null});

export const invert = (list: List): List => {
  if (list.marks.all) return markNone(list);
  const marked = list.marks.ids;
  return withIds({...list, anchor: null}, ids => {
    for (const finding of takeable(list)) {
      if (marked.has(finding.id)) ids.delete(finding.id);
      else ids.set(finding.id, finding);
    }
  });
};

export type Targets = {
  /** What a plan would take; empty with `all`. */
  findings: Finding[];
  all: boolean;
  /** Marked rows that the filter hides. */
  hidden: number;
  gone: number;
  byCursor: boolean;
};

/**
 * What `x` acts on: the finding whose details are open (`only`), else the marks that are to be seen (hidden ones
 * only if asked for), else the row under the cursor.
 */
export const targets = (list: List, withHidden: boolean, only: string | null = null): Targets => {
  if (only !== null) {
    const finding = findingOf(list, only);
    const gone = list.ghosts.some(ghost => ghost.gone && ghost.finding.id === only);
    return {
      findings: finding && !gone ? [finding] : [],
      all: false,
      hidden: 0,
      gone: gone ? 1 : 0,
      byCursor: true,
    };
  }
  if (list.marks.all) return {findings: [], all: true, hidden: 0, gone: 0, byCursor: false};
  const ghosts = new Set(list.ghosts.filter(ghost => ghost.gone).map(ghost => ghost.finding.id));
  const marked = [...list.marks.ids.values()];
  if (marked.length === 0) {
    const row = underCursor(list);
    const findings = row && !row.gone ? [row.finding] : [];
    return {findings, all: false, hidden: 0, gone: row?.gone ? 1 : 0, byCursor: true};
  }
  const there = marked.filter(finding => !ghosts.has(finding.id));
  const seen = there.filter(finding => matches(finding, list.filter));
  return {
    findings: withHidden ? there : seen,
    all: false,
    hidden: there.length - seen.length,
    gone: marked.length - there.length,
    byCursor: false,
  };
};

/** The actions that apply to what was chosen, the default of most of it first. A drastic one is never a default. */
export const choicesFor = (check: CheckInfo, list: List, chosen: Targets): Choice[] => {
  const offered = chosen.all
    ? Object.entries(list.summary?.byReason ?? {})
        .filter(([, count]) => count > 0)
        .map(([name]) => check.reasons.find(reason => reason.name === name)?.actions ?? [])
    : chosen.findings.map(finding => finding.actions);
  const names = new Set(offered.flat());
  const firstsOf = ({name, drastic}: ActionMeta): number =>
    drastic ? 0 : offered.filter(actions => actions[0] === name).length;
  return check.actions
    .filter(action => names.has(action.name))
    .map(action => ({
      action: action.name,
      text: action.text,
      drastic: action.drastic ?? false,
      applies: chosen.all
        ? (list.total ?? 0)
        : offered.filter(actions => actions.includes(action.name)).length,
      isDefault: firstsOf(action) > 0,
      firsts: firstsOf(action),
    }))
    .sort((a, b) => Number(a.drastic) - Number(b.drastic) || b.firsts - a.firsts)
    .map(({firsts, ...choice}) => choice);
};

/** The selection of a plan: exactly the rows chosen (`byId`: by their keys), and the keepers chosen among theirs. */
export const selectionFor = (list: List, chosen: Targets, action: string, byId = false): Selection => {
  if (chosen.all) return {};
  const taken = chosen.findings.filter(finding => finding.actions.includes(action));
  if (byId) return {ids: taken.flatMap(finding => finding.rows.map(row => keyText(row.key)))};
  const ids = taken.map(finding => finding.id);
  const keepers = Object.fromEntries(Object.entries(list.keepers).filter(([id]) => ids.includes(id)));
  return Object.keys(keepers).length > 0 ? {findings: ids, keepers} : {findings: ids};
};
