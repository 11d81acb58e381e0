/** The tasks that take a unique constraint away and put back what was there before. */
import {SesstuiError} from '../../../../source/errors.js';
import {ident} from '../../sql.js';
import type {Place, RuleOf, Task} from '../rule.js';
import {qualified} from '../sql/names.js';
import {tidyTask} from './meanwhile.js';
import {isKept, isUnfinished, type SeenUnique, sameColumns} from './unique-seen.js';

type Unique = RuleOf<'unique'>;

/** What was there under the constraint's name. */
export type Before = {index: string; constraint: string | null};

/** What an install would replace; null for nothing. */
export const beforeOf = ({columns}: Unique, seen: SeenUnique): Before | null => {
  const {constraint, index} = seen;
  if (!index?.valid || isKept(seen, columns)) return null;
  // The index of an install that was not finished is no loss.
  if (!constraint && isUnfinished(seen)) return null;
  return {index: index.definition, constraint: constraint?.definition ?? null};
};

const putBack = (before: Before, {table}: Place, seen: SeenUnique, isGone: boolean): Task[] => {
  const now = {index: seen.index?.definition, constraint: seen.constraint?.definition ?? null};
  const isIndexThere = !isGone && now.index === before.index && seen.index?.valid === true;
  if (isIndexThere && now.constraint === before.constraint) return [];
  const timing = /(?: (?:NOT )?DEFERRABLE| INITIALLY (?:DEFERRED|IMMEDIATE))*$/.exec(
    before.constraint ?? '',
  )![0];
  const task = (name: string, text: string, statement: string, index?: string): Task => ({
    name,
    phase: 'tidy',
    text,
    statements: [statement],
    how: index ? 'index' : 'transaction',
    ...(index && {index}),
  });
  const concurrently = before.index.replace(/^CREATE (UNIQUE )?INDEX /, 'create $1index concurrently ');
  return [
    ...(isIndexThere
      ? []
      : [task('index-back', `builds the index ${seen.name} that was there before`, concurrently, seen.name)]),
    ...(before.constraint
      ? [
          task(
            'constraint-back',
            `makes it the constraint ${seen.name} again`,
            `alter table ${table.sql} add constraint ${ident(seen.name)} unique using index ${ident(seen.name)}${timing}`,
          ),
        ]
      : []),
  ];
};

/** What is left of an uninstall, from what is there. */
export const uninstallUnique = (
  rule: Unique,
  place: Place,
  seen: SeenUnique,
  before: Before | null,
): Task[] => {
  const {columns} = rule;
  const {table} = place;
  const isOurs = isKept(seen, columns);
  if (isOurs && seen.references.length > 0)
    throw new SesstuiError(
      'unsupported',
      `${seen.references.join(', ')} refers to ${seen.name}.`,
      'Drop its foreign key first.',
    );
  const isBack = before !== null && !seen.constraint && seen.index?.definition === before.index;
  // Half of an install: an index that is not yet a constraint.
  const halves =
    isOurs || isBack
      ? []
      : seen.targets.filter(
          ({built}) => built?.own && !seen.constraint && sameColumns(built.columns, columns),
        );
  const statements = [
    ...(isOurs ? [`alter table ${table.sql} drop constraint ${ident(seen.name)}`] : []),
    ...halves.map(({schema, index}) => `drop index if exists ${qualified(schema, index)}`),
    ...(isUnfinished(seen) ? tidyTask(rule, place, seen).statements : []),
  ];
  const drop: Task = {
    name: 'constraint',
    phase: 'tidy',
    text: `drops ${seen.name}: a second row with the same ${columns.join(', ')} can be stored again`,
    statements,
    how: 'transaction',
  };
  return [
    ...(statements.length > 0 ? [drop] : []),
    ...(before ? putBack(before, place, seen, isOurs || halves.length > 0) : []),
  ];
};
