/** What a unique constraint can't be made of; found out before anything is written. */
import {SesstuiError} from '../../../../source/errors.js';
import {columnOf} from '../../catalogue.js';
import type {Run} from '../../session.js';
import {ident} from '../../sql.js';
import type {PgType} from '../../types.js';
import type {Place, RuleOf} from '../rule.js';
import type {SeenUnique} from './unique-seen.js';

/** Of a btree's pages of 8 kB: what one entry may take, and what its header and gaps take of it. */
const entryLimit = 2_704;
const entryOverhead = 16;

const unequal = new Set(['json', 'xml', 'point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle']);

const typeFault = (name: string, {name: type, base, element, loose}: PgType): string | null => {
  const inner = element?.base ?? base;
  if (unequal.has(inner)) return `${name} is ${type}, which has no equality that an index could use`;
  // The check tells such values apart, and would never find what the constraint refuses.
  if (loose && !element)
    return `${name} is ${type}, which the database compares by its own rules, and the check by bytes`;
  return inner === 'interval' ? `${name} is ${type}: equal ones can be written differently` : null;
};

/** As `RuleKeeper.unavailable`. */
export const unavailable = ({columns, unordered}: RuleOf<'unique'>, {table}: Place): string | null => {
  for (const name of columns) {
    const column = columnOf(table, name);
    const head = name.includes('.') ? columnOf(table, name.slice(0, name.indexOf('.'))) : undefined;
    if (!column && head?.type.family === 'json')
      return `${name} is inside ${head.name}: a unique constraint is on columns, not on paths`;
    if (!column) return `"${table.name}" has no column "${name}"`;
    if (unordered.includes(name) && column.type.family !== 'array')
      return `${name} is no array, but ${column.type.name}: a constraint would tell other orders apart`;
    const fault = typeFault(name, column.type);
    if (fault) return fault;
  }
  return null;
};

/** What only the catalogue tells: null when it can be. */
export const catalogueFault = (
  {columns}: RuleOf<'unique'>,
  {table}: Place,
  seen: SeenUnique,
): string | null => {
  if (seen.inherited) return `tables inherit from "${table.name}": a constraint would not look at their rows`;
  const key = seen.partitionKey;
  if (key.some(name => name === null || !columns.includes(name)))
    return `"${table.name}" is partitioned by ${key.map(name => name ?? 'an expression').join(', ')}, which a unique constraint would have to hold`;
  const odd = table.kind === 'p' && seen.targets.find(({kind}) => kind !== 'r');
  if (odd) return `the partition ${odd.relation} is foreign, or partitioned itself`;
  return seen.taken || (seen.constraint && seen.constraint.type !== 'u')
    ? `something else is called ${seen.name}`
    : null;
};

/** Throws `unsupported` where rows that are there could not be in the index, or would be missed by it. */
export const refuseRows = async (
  {columns, unordered}: RuleOf<'unique'>,
  {table}: Place,
  run: Run,
): Promise<void> => {
  const names = columns.map(name => `t.${ident(name)}`);
  const size = names.map(name => `pg_catalog.pg_column_size(${name})`).join(' + ');
  const shifted = unordered.map(name => {
    const sql = `t.${ident(name)}`;
    return `(array_ndims(${sql}) = 1 and array_lower(${sql}, 1) <> 1)`;
  });
  const [row] = await run({
    text: `select count(*) filter (where ${size} + ${entryOverhead} > ${entryLimit}), count(*) filter (where ${shifted.join(' or ') || 'false'})
      from ${table.sql} t where ${names.map(name => `${name} is not null`).join(' and ')}`,
    values: [],
  });
  const [wide, oddly] = row!.map(Number) as [number, number];
  const rows = (count: number): string => (count === 1 ? '1 row has' : `${count} rows have`);
  if (wide > 0)
    throw new SesstuiError(
      'unsupported',
      `${rows(wide)} a key of more than ${entryLimit} bytes (${columns.join(', ')}), which is all that an entry of an index can hold.`,
      'Look for what makes them so long; a unique constraint is not to be had as long as they are there.',
    );
  if (oddly > 0)
    throw new SesstuiError(
      'unsupported',
      `${rows(oddly)} an array that does not count from 1 ('[2:3]={a,b}'): to a unique constraint it differs from the same one that does.`,
      `Write them anew: update ${table.sql} set ${unordered.map(name => `${ident(name)} = ${ident(name)}[:]`).join(', ')}`,
    );
};
