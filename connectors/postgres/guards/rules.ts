/** Which file keeps which rule. */
import type {GuardRule} from '../../../source/guards.js';
import {sorted} from './arrays/sorted.js';
import {unique} from './arrays/unique.js';
import {cancelFirst} from './cancel-first/cancel-first.js';
import {one} from './one-per-key/one.js';
import {ownRows} from './own-rows/own-rows.js';
import type {RuleKeeper} from './rule.js';
import {undeletable} from './undeletable/undeletable.js';

/** Rules of stores without PostgreSQL's means: why there is nothing of the kind here. */
const elsewhere: Partial<Record<GuardRule['rule'], string>> = {
  'unique-id': 'PostgreSQL keeps ids apart with its own primary key: this guard is for documents',
  'valid-id': 'PostgreSQL has NOT NULL and column types for this: this guard is for documents',
  index: 'PostgreSQL has a unique constraint, which is an index too: nothing has to stand in for it',
  'write-path': 'PostgreSQL has a unique constraint: writers need no path of their own',
};

/** Why PostgreSQL has no guard of this kind; null when it has. */
export const refusal = ({rule}: GuardRule): string | null => elsewhere[rule] ?? null;

const keepers = {
  sorted,
  unique,
  one,
  undeletable,
  'own-rows': ownRows,
  'cancel-first': cancelFirst,
} as const;

/** The keeper of a rule that is not refused. */
export const keeperOf = <R extends GuardRule>(rule: R): RuleKeeper<R> =>
  (keepers as unknown as Record<string, RuleKeeper<R>>)[rule.rule]!;
