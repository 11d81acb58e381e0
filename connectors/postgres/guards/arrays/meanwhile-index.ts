/** Whether the trigger of an install needs an index of its own to find a second row by. */
import type {Run} from '../../session.js';
import {literal} from '../../sql.js';
import type {Place, RuleOf} from '../rule.js';
import {isSmall} from '../sql/meanwhile.js';
import type {SeenUnique} from './unique-seen.js';

/** So many rows with the same beginning of a key are looked through for each insert without more ado. */
const rowsPerLookUp = 200;

/**
 * No, where the table is small, or where an index begins with columns of the key that few rows share, as far as the
 * server's statistics tell. A table that was never analysed gets one.
 */
export const needsHelper = async (
  {columns, unordered}: RuleOf<'unique'>,
  {table}: Place,
  {targets}: SeenUnique,
  run: Run,
): Promise<boolean> => {
  if (targets.some(({help}) => help?.valid)) return true;
  if (await isSmall(table, run)) return false;
  const plain = columns.filter(name => !unordered.includes(name));
  const [found] = await run({
    text: `select count(*) from pg_catalog.pg_index i
      join pg_catalog.pg_class c on c.oid = i.indrelid
      join lateral (select max(case when s.n_distinct < 0 then -s.n_distinct * c.reltuples else s.n_distinct end) as values
        from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        join pg_catalog.pg_stats s on s.schemaname = ${literal(table.schema)} and s.tablename = ${literal(table.relation)} and s.attname = a.attname
        where a.attname = any ($1::text[]) and not exists (select from unnest(i.indkey::int2[]) with ordinality e(attnum, place)
          left join pg_catalog.pg_attribute b on b.attrelid = c.oid and b.attnum = e.attnum
          where e.place < k.place and (b.attname is null or not b.attname = any ($1::text[])))) d on true
      where i.indrelid = ${literal(table.oid)}::oid and i.indisvalid and i.indpred is null and c.reltuples > 0
        and c.reltuples / greatest(d.values, 1) <= ${rowsPerLookUp}`,
    values: [plain],
  });
  return Number(found![0]) === 0;
};
