/** The orders that `s` goes through. The check's own order comes first: the most urgent at the top. */
import type {Finding, Severity} from '../types.js';
import {nameOf} from './filter.js';
import type {SortKey} from './lists.js';

const sortKeys: readonly SortKey[] = ['severity', 'age', 'group', 'rows', 'reason'];

/** The one after this; null is the check's own order. */
export const nextSort = (key: SortKey | null): SortKey | null =>
  key === null ? sortKeys[0]! : (sortKeys[sortKeys.indexOf(key) + 1] ?? null);

const ranks: Record<Severity, number> = {critical: 0, warning: 1, info: 2};
const collator = new Intl.Collator('en', {numeric: true});

/** A comparison that puts first what people look for first: critical, old, many rows; text in its own order. */
export const comparer = (key: SortKey): ((a: Finding, b: Finding) => number) => {
  switch (key) {
    case 'severity':
      return (a, b) => ranks[a.severity] - ranks[b.severity];
    case 'age':
      return (a, b) => (b.ageSeconds ?? -1) - (a.ageSeconds ?? -1);
    case 'rows':
      return (a, b) => b.rows.length - a.rows.length;
    case 'group':
      return (a, b) => collator.compare(nameOf(a), nameOf(b));
    case 'reason':
      return (a, b) => collator.compare(a.reasons[0] ?? '', b.reasons[0] ?? '');
  }
};
