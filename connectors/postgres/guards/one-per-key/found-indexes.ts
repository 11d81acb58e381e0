/** The unique indexes of a table, and whether one of them is what a guard wants. */
import type {GuardSeen} from '../../../../source/guards.js';
import type {Table} from '../../catalogue.js';
import type {Run} from '../../session.js';
import {sameSql} from '../sql/same-sql.js';
import type {IndexDefinition} from './index-definition.js';

export type FoundIndex = {
  name: string;
  /** The CREATE INDEX that would make it again. */
  definition: string;
  unique: boolean;
  valid: boolean;
  immediate: boolean;
  method: string;
  nullsEqual: boolean;
  keys: string[];
  where: string | null;
  /** A constraint owns it. */
  constrained: boolean;
};

// NULLS NOT DISTINCT came with version 15: where the column isn't there, to_jsonb has none.
const text = `select json_build_object('name', c.relname, 'definition', pg_catalog.pg_get_indexdef(i.indexrelid), 'unique', i.indisunique,
    'valid', i.indisvalid and i.indisready and i.indislive, 'immediate', i.indimmediate, 'method', m.amname,
    'nullsEqual', coalesce((to_jsonb(i.*) ->> 'indnullsnotdistinct')::bool, false),
    'keys', (select json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) order by k) from generate_series(1, i.indnkeyatts) k),
    'where', pg_catalog.pg_get_expr(i.indpred, i.indrelid),
    'constrained', exists (select from pg_catalog.pg_constraint o where o.conindid = i.indexrelid and o.contype in ('p', 'u', 'x')))::text
  from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_am m on m.oid = c.relam
  where i.indrelid = $1::oid order by c.relname`;

export const foundIndexes = async ({oid}: Table, run: Run): Promise<FoundIndex[]> =>
  (await run({text, values: [oid]})).map(([json]) => JSON.parse(json!) as FoundIndex);

const takenText = `select c.relkind::text, i.indrelid::regclass::text from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace left join pg_catalog.pg_index i on i.indexrelid = c.oid
  where n.nspname = $1::text and c.relname = $2::text and i.indrelid is distinct from $3::oid`;

/** Why an index of the table can't have the name: something else has it. */
export const nameTaken = async ({schema, oid}: Table, name: string, run: Run): Promise<string | null> => {
  const [row] = await run({text: takenText, values: [schema, name, oid]});
  if (!row) return null;
  return `the name "${name}" is taken by ${row[1] === null ? 'another relation' : `an index of ${row[1]}`}`;
};

const sameKeys = (found: FoundIndex, {keys}: IndexDefinition): boolean =>
  found.keys.length === keys.length && found.keys.every((key, index) => sameSql(key, keys[index]!));

/** What differs from what it should be; null where it does the same. */
const difference = (found: FoundIndex, wanted: IndexDefinition): string | null => {
  if (!found.valid) return 'it is not valid: its build failed, was interrupted, or still goes on';
  if (!found.unique) return 'it is not unique';
  if (!found.immediate) return 'it is checked at the end of a transaction only';
  if (found.nullsEqual) return 'it takes NULLs to be equal';
  if (found.method !== 'btree') return `it is a ${found.method} index`;
  if (!sameKeys(found, wanted)) return `it is on (${found.keys.join(', ')})`;
  if (sameSql(found.where, wanted.where)) return null;
  return found.where === null ? 'it is on all rows' : `it is where ${found.where}`;
};

/** The one of the name, or else one that does the same. */
export const findIndex = (found: FoundIndex[], wanted: IndexDefinition): FoundIndex | undefined =>
  found.find(({name}) => name === wanted.name) ?? found.find(index => difference(index, wanted) === null);

export const indexSeen = (found: FoundIndex | undefined, wanted: IndexDefinition): GuardSeen => {
  if (!found) return {state: 'missing', why: null};
  const why = difference(found, wanted);
  if (why) return {state: 'drifted', why: `there is an index "${found.name}", but ${why}`};
  return {state: 'installed', why: found.name === wanted.name ? null : `by the index "${found.name}"`};
};
