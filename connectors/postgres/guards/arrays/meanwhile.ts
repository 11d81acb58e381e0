/**
 * What refuses a second row while the unique index is being built: a trigger that holds an advisory lock for the key
 * and looks for another row. Without it, writers make duplicates as fast as they can be deleted, and the index is never
 * built (measured). It is there during an install only.
 */
import {columnOf} from '../../catalogue.js';
import {dollarQuoted, ident, literal} from '../../sql.js';
import type {Column} from '../../types.js';
import type {Place, RuleOf, Task} from '../rule.js';
import {createTrigger, heldDeclared, meanwhileName, refuseSecond} from '../sql/meanwhile.js';
import {qualified} from '../sql/names.js';
import {constraintName} from './names.js';
import {sortedArray, sortedColumn} from './sort-sql.js';
import type {SeenUnique} from './unique-seen.js';

type Part = {column: Column; isSet: boolean; natural: boolean};

const partsOf = (rule: RuleOf<'unique'>, {table}: Place): Part[] =>
  rule.columns.map(name => {
    const isSet = rule.unordered.includes(name);
    return {
      column: columnOf(table, name)!,
      isSet,
      natural: isSet && sortedColumn(table, name).element.natural,
    };
  });

const comparable = (part: Part, row: string): string => {
  const value = `${row}.${ident(part.column.name)}`;
  return part.isSet ? `(${sortedArray(value, part.natural)})` : value;
};

/** Types with operators of their own, which a function may not find by name: arrays of one find them by type. */
const isForeign = ({type}: Column): boolean => type.family === 'other';

/** `indexed`: the helper index finds the rows, and no other index is to seem better to a planner without statistics. */
const same = (part: Part, a: string, b: string, indexed: boolean): string => {
  const [left, right] = [comparable(part, a), comparable(part, b)];
  const byType = isForeign(part.column) || (indexed && part.column.type.family !== 'array');
  return byType
    ? `array[${left}] operator(pg_catalog.=) array[${right}]`
    : `${left} operator(pg_catalog.=) ${right}`;
};

const unchanged = (part: Part): string => {
  const [left, right] = [comparable(part, 'old'), comparable(part, 'new')];
  return part.column.type.family === 'array'
    ? `coalesce(${left} operator(pg_catalog.=) ${right}, ${left} is null and ${right} is null)`
    : `array[${left}] operator(pg_catalog.=) array[${right}]`;
};

/** Types whose equal values have equal hashes by a function that every version has. */
const isHashable = ({type}: Column): boolean => {
  const {family, base} = type.element ?? type;
  return family !== 'other' && base !== 'json';
};

export const namesOf = (rule: RuleOf<'unique'>, {table}: Place) => {
  const constraint = constraintName(rule.columns);
  const meanwhile = meanwhileName(constraint);
  const types = rule.columns.map(name => columnOf(table, name)!.type.cast);
  const name = qualified(table.schema, meanwhile);
  return {constraint, meanwhile, trigger: `${name}()`, hash: `${name}(${types.join(', ')})`, call: name};
};

/**
 * The hash of a key, whatever order its arrays are in; NULL when an array is. Writers run it for the helper index, so
 * that all of them must be allowed to.
 */
export const createHash = (rule: RuleOf<'unique'>, place: Place): string[] => {
  const body = partsOf(rule, place).reduce(
    (seed, part, at) => {
      if (!isHashable(part.column)) return seed;
      const value = part.isSet ? sortedArray(`$${at + 1}`, part.natural) : `$${at + 1}`;
      const array = part.column.type.family === 'array' ? `(${value})` : `array[${value}]`;
      return `pg_catalog.hash_array_extended(${array}, ${seed})`;
    },
    `${literal(place.table.oid)}::pg_catalog.int8`,
  );
  const {hash} = namesOf(rule, place);
  return [
    `create or replace function ${hash} returns pg_catalog.int8 language sql immutable parallel safe as ${dollarQuoted(` select ${body} `)}`,
    `grant execute on function ${hash} to public`,
  ];
};

/** `relation` is the table, or a partition of it. */
export const createHelper = (rule: RuleOf<'unique'>, place: Place, index: string, relation: string): string =>
  `create index concurrently ${ident(index)} on ${relation} (${namesOf(rule, place).call}(${rule.columns.map(ident).join(', ')}))`;

/** An update that leaves the key as it was passes, or arrays that are there twice could not be sorted. */
export const createMeanwhile = (rule: RuleOf<'unique'>, place: Place, indexed: boolean): string[] => {
  const {table} = place;
  const {constraint, call} = namesOf(rule, place);
  const parts = partsOf(rule, place);
  const hash = (row: string): string =>
    `${call}(${rule.columns.map(name => `${row}.${ident(name)}`).join(', ')})`;
  const missing = rule.columns.map(name => `new.${ident(name)} is null`).join(' or ');
  // The row that an upsert is about to update is not a second one; for a plain insert, the key refuses it.
  const itself = table.key.map(
    ({name}) => `array[t.${ident(name)}] operator(pg_catalog.=) array[new.${ident(name)}]`,
  );
  const equal = [
    ...(indexed ? [`${hash('t')} operator(pg_catalog.=) key`] : []),
    ...parts.map(part => same(part, 't', 'new', indexed)),
    ...(itself.length > 0 ? [`not (${itself.join(' and ')})`] : []),
  ].join(' and ');
  const body = `
#variable_conflict use_variable
declare
  key pg_catalog.int8;
  ${heldDeclared}
begin
  if ${missing} then return new; end if;
  if tg_op = 'UPDATE' then
    if ${parts.map(unchanged).join(' and ')} then return new; end if;
  end if;
  key := ${hash('new')};
${refuseSecond(constraint, table, {key: 'key', equal})}`;
  return createTrigger(constraint, table, body);
};

/** In this order: nothing may be dropped that the one before still uses. */
const dropMeanwhile = (rule: RuleOf<'unique'>, place: Place, {targets}: SeenUnique): string[] => {
  const {meanwhile, trigger, hash} = namesOf(rule, place);
  return [
    `drop trigger if exists ${ident(meanwhile)} on ${place.table.sql}`,
    `drop function if exists ${trigger}`,
    ...targets.map(({schema, helper}) => `drop index if exists ${qualified(schema, helper)}`),
    `drop function if exists ${hash}`,
  ];
};

/** The last step of an install: nothing of the time in between is left. */
export const tidyTask = (rule: RuleOf<'unique'>, place: Place, seen: SeenUnique): Task => ({
  name: 'tidy',
  phase: 'tidy',
  text: 'drops what was there for the time of the install only',
  statements: dropMeanwhile(rule, place, seen),
  how: 'transaction',
});
