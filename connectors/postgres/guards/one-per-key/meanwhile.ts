/**
 * What refuses a second row while the index of `one` is being built: a trigger that holds an advisory lock for the key
 * and looks for another row. Without it, writers make second rows as fast as they can be mended, and the index is never
 * built. It is there during an install only.
 */
import type {Table} from '../../catalogue.js';
import type {Run} from '../../session.js';
import {dollarQuoted, ident, literal} from '../../sql.js';
import type {Place, Task} from '../rule.js';
import {
  createTrigger,
  dropLeftTrigger,
  heldDeclared,
  isSmall,
  meanwhileName,
  refuseSecond,
} from '../sql/meanwhile.js';
import {qualified} from '../sql/names.js';
import type {FoundIndex} from './found-indexes.js';
import type {IndexDefinition} from './index-definition.js';

const namesAt = ({schema}: Place['table'], {name}: Pick<IndexDefinition, 'name'>) => {
  const meanwhile = meanwhileName(name);
  return {meanwhile, trigger: `${qualified(schema, meanwhile)}()`, helper: qualified(schema, meanwhile)};
};

/** An update that leaves the key as it was passes, or second rows that are there could not be mended. */
const createMeanwhile = (wanted: IndexDefinition, {table}: Place): string[] => {
  const {name: index, keys, where} = wanted;
  const fields = keys.map((_, at) => `k${at}`);
  const read = (row: string): string =>
    `select ${keys.map((key, at) => `${key} as k${at}`).join(', ')}, coalesce(${where ?? 'true'}, false) as holds into sesstui_${row} from (select ${row}.*) r;`;
  // Arrays find the equality of their elements by type, which a function may not find by name.
  const asArrays = (left: string, right: string): string =>
    `array[${left}] operator(pg_catalog.=) array[${right}]`;
  const isForeign = (key: string): boolean =>
    table.columns.some(({name, type}) => ident(name) === key && type.family === 'other');
  const same = fields.map(field => asArrays(`sesstui_old.${field}`, `sesstui_new.${field}`)).join(' and ');
  const missing = fields.map(field => `sesstui_new.${field} is null`).join(' or ');
  const equal = keys
    .map((key, at) =>
      isForeign(key)
        ? asArrays(key, `sesstui_new.k${at}`)
        : `${key} operator(pg_catalog.=) sesstui_new.k${at}`,
    )
    .join(' and ');
  // The row that an upsert is about to update is not a second one; for a plain insert, the key refuses it.
  const itself = table.key.map(({name}) => asArrays(`t.${ident(name)}`, `new.${ident(name)}`)).join(' and ');
  const hashed = fields.map(field => `sesstui_new.${field}::text`).join(', ');
  const key = `pg_catalog.hashtextextended(array[${hashed}]::text, ${table.oid})`;
  const second = `${where === null ? '' : `(${where}) and `}${equal}${itself && ` and not (${itself})`}`;
  const body = `
#variable_conflict use_column
declare
  sesstui_new record;
  sesstui_old record;
  ${heldDeclared}
begin
  ${read('new')}
  if not sesstui_new.holds or ${missing} then return new; end if;
  if tg_op = 'UPDATE' then
    ${read('old')}
    if sesstui_old.holds and ${same} then return new; end if;
  end if;
${refuseSecond(index, table, {key, equal: second})}`;
  return createTrigger(index, table, body);
};

type SeenMeanwhile = {trigger: boolean; helper: FoundIndex | undefined};

export const isUnfinished = ({trigger, helper}: SeenMeanwhile): boolean => trigger || helper !== undefined;

/** What an install that was not finished left of it, or has put in so far. */
export const lookAtMeanwhile = async (
  wanted: Pick<IndexDefinition, 'name'>,
  {table}: Place,
  found: FoundIndex[],
  run: Run,
): Promise<SeenMeanwhile> => {
  const {meanwhile} = namesAt(table, wanted);
  const text = `select from pg_catalog.pg_trigger where tgrelid = $1::oid and tgname = $2::text`;
  const rows = await run({text, values: [table.oid, meanwhile]});
  return {trigger: rows.length > 0, helper: found.find(({name}) => name === meanwhile)};
};

/** Nothing of it, where it is there; on a table of more than a few rows with an index of its own to find a second row by. */
export const meanwhileTasks = async (
  wanted: IndexDefinition,
  place: Place,
  {trigger, helper}: SeenMeanwhile,
  run: Run,
): Promise<Task[]> => {
  if (trigger) return [];
  const {table} = place;
  const {meanwhile} = namesAt(table, wanted);
  const isHelped = table.kind === 'p' || helper?.valid || (await isSmall(table, run));
  const where = wanted.where === null ? '' : ` where ${wanted.where}`;
  const helping: Task = {
    name: 'helper',
    phase: 'prepare',
    text: 'builds an index by which a second row is found, for the time of the install',
    statements: [
      `create index concurrently ${ident(meanwhile)} on ${table.sql} (${wanted.keys.join(', ')})${where}`,
    ],
    how: 'index',
    index: meanwhile,
  };
  return [
    ...(isHelped ? [] : [helping]),
    {
      name: 'meanwhile',
      phase: 'refuse',
      text: `${meanwhile} refuses a second row until the index does: it gets 23505, also with ON CONFLICT DO NOTHING`,
      statements: createMeanwhile(wanted, place),
      how: 'transaction',
    },
  ];
};

export const tidyTask = (wanted: Pick<IndexDefinition, 'name'>, {table}: Place): Task => {
  const {meanwhile, trigger, helper} = namesAt(table, wanted);
  return {
    name: 'tidy',
    phase: 'tidy',
    text: 'drops what was there for the time of the install only',
    statements: [
      `drop trigger if exists ${ident(meanwhile)} on ${table.sql}`,
      `drop function if exists ${trigger}`,
      `drop index if exists ${helper}`,
    ],
    how: 'transaction',
  };
};

/**
 * Of a script: takes away what an install that was killed left, if it is ours by what it says and is for; what else has
 * one of the names stays.
 */
export const dropLeftOver = (
  wanted: Pick<IndexDefinition, 'name'>,
  table: Pick<Table, 'schema' | 'sql'>,
): string => {
  const helper = qualified(table.schema, meanwhileName(wanted.name));
  return `do ${dollarQuoted(` begin
${dropLeftTrigger(wanted.name, table)}
  if exists (select from pg_catalog.pg_index i where i.indexrelid = pg_catalog.to_regclass(${literal(helper)})
      and i.indrelid = pg_catalog.to_regclass(${literal(table.sql)}) and not i.indisunique) then
    drop index ${helper};
  end if;
end `)}`;
};
