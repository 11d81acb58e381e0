/** The function and the trigger of `cancel-first`, as text: pure, from the table's columns and the rule alone. */
import {SesstuiError} from '../../../../source/errors.js';
import {type Assignment, assignedSql, assignmentsOf} from '../../assignments.js';
import type {Table} from '../../catalogue.js';
import {expression} from '../../expressions.js';
import {predicate} from '../../predicates.js';
import {Binder, dollarQuoted, ident, literal, withValues} from '../../sql.js';
import {equal, type Scope} from '../../typed.js';
import type {RuleOf} from '../rule.js';
import {objectName} from '../sql/names.js';

type Rule = RuleOf<'cancel-first'>;

/** What the trigger and its function are called. */
export const nameOf = ({relation}: Table): string => objectName(`${relation}_auto_cancel`);

/** By this a function is known to be this guard's, whatever thresholds it was written with. */
export const mark = 'sesstui (guard auto-cancel)';

/**
 * The time counts from the transaction's now(), as the check's does: within one transaction every row is judged by one
 * moment, an index can serve the comparison, and a long transaction errs towards leaving a session alone.
 */
const scopeOf = (lower: string): Scope => ({binder: new Binder(), now: 0, clock: 'now()', lower});

const written = (scope: Scope, sql: string): string => withValues(scope.binder.statement(sql));

/** An untyped literal: the name of an enum or a domain is not found by the function's search path. */
const assignment = (one: Assignment, scope: Scope): string => {
  const plain = one.how === 'text' && one.path.length === 0;
  const text = one.text === null ? 'null' : literal(one.text);
  const [assigned] = plain
    ? [{sql: text}]
    : assignedSql(
        [one],
        () => text,
        column => `t.${ident(column.name)}`,
        ({zone}) => literal(zone ?? 'UTC'),
        scope.binder,
      );
  return `${ident(one.column.name)} = ${assigned!.sql}`;
};

/** What the rule sets. Throws `unsupported` for a column that can't be set, `not-found` for one that is not there. */
export const assignments = (rule: Rule, table: Table): Assignment[] => {
  const all = assignmentsOf(table, rule.set);
  const fixed = all.find(({column}) => column.generated || column.identityAlways)?.column.name;
  if (fixed !== undefined)
    throw new SesstuiError(
      'unsupported',
      `The column "${fixed}" of "${table.name}" is the server's to fill.`,
    );
  return all;
};

/**
 * The body of the function. It never waits (rows that somebody else holds are skipped) and never fails the insert,
 * except by a serialization failure, which an application at that isolation level tries again. The row that an upsert
 * is about to update is left to it: a command can't change a row a second time.
 * Throws `not-found` or `unsupported` where the table's columns don't allow it.
 */
export const functionBody = (rule: Rule, table: Table, lower: string): string => {
  const scope = scopeOf(lower);
  const customer = {attr: rule.customer};
  const here = expression(customer, table, 't', scope);
  const same = equal(here, expression(customer, table, 'new', scope));
  if (same === 'false')
    throw new SesstuiError('unsupported', `Customers in "${rule.customer}" can't be compared.`);
  const tables = (name: string): never => {
    throw new SesstuiError('unsupported', `The rule asks about "${name}", which a trigger doesn't.`);
  };
  const stale = written(scope, predicate(rule.stale, {table, alias: 't', scope, tables}));
  const own = written(scope, same);
  const sets = assignments(rule, table)
    .map(one => written(scope, assignment(one, scope)))
    .join(', ');
  const key = table.key.map(({name}) => `(t.${ident(name)} is distinct from new.${ident(name)})`);
  const other = key.length > 0 ? `\n      and (${key.join(' or ')})` : '';
  return `
#variable_conflict use_column
-- ${mark}: a new row cancels its customer's own stale rows.
declare
  stale cursor for
    select 1 from ${table.sql} as t
    where ${own}${other}
      and ${stale}
    for update skip locked;
begin
  for one in stale loop
    update ${table.sql} as t set ${sets} where current of stale;
  end loop;
  return new;
exception
  when serialization_failure then
    raise;
  when others then
    raise warning 'a stale session could not be cancelled: % (%)', sqlerrm, sqlstate;
    return new;
end
`;
};

/** The settings that the function runs with. More would reach the table's own update triggers too. */
export const functionSettings = (body: string): Record<string, string> => ({
  search_path: 'pg_catalog, pg_temp',
  // Below 1 the text of a number is not all of it.
  ...(body.includes('::float8::text') && {extra_float_digits: '1'}),
});

const functionSql = (table: Table): string => `${ident(table.schema)}.${ident(nameOf(table))}()`;

export const createFunction = (rule: Rule, table: Table, lower: string): string => {
  const body = functionBody(rule, table, lower);
  const settings = Object.entries(functionSettings(body)).map(([name, value]) => `set ${name} = ${value}`);
  return `create or replace function ${functionSql(table)} returns trigger
language plpgsql ${settings.join(' ')}
as ${dollarQuoted(body)}`;
};

export const createTrigger = (table: Table): string =>
  `create trigger ${ident(nameOf(table))} before insert on ${table.sql}
  for each row execute function ${functionSql(table)}`;

export const dropTrigger = (table: Table): string =>
  `drop trigger if exists ${ident(nameOf(table))} on ${table.sql}`;

export const dropFunction = (table: Table): string => `drop function if exists ${functionSql(table)}`;
