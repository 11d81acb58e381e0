/** What there is of a unique constraint, and of an install that was not finished. */
import type {Table} from '../../catalogue.js';
import type {Run} from '../../session.js';
import {ident, literal} from '../../sql.js';
import type {RuleOf} from '../rule.js';
import {meanwhileName} from '../sql/meanwhile.js';
import {objectName} from '../sql/names.js';
import {constraintName} from './names.js';

type SeenIndex = {
  /** It is on the table (or partition) that was asked for. */
  own: boolean;
  unique: boolean;
  valid: boolean;
  columns: string[];
  /** Neither partial nor of expressions, NULLs distinct. */
  plain: boolean;
  nullsEqual: boolean;
  definition: string;
};
/** What an index is built on: the table itself, or a partition of it. */
type Target = {
  relation: string;
  sql: string;
  kind: string;
  schema: string;
  index: string;
  helper: string;
  built: SeenIndex | null;
  help: SeenIndex | null;
};
export type SeenUnique = {
  name: string;
  constraint: {type: string; deferrable: boolean; index: SeenIndex | null; definition: string} | null;
  /** Of the constraint's name. */
  index: SeenIndex | null;
  /** Another relation of this name, which is no index of this table. */
  taken: boolean;
  /** Foreign keys that refer to the constraint of this name. */
  references: string[];
  trigger: boolean;
  functions: number;
  inherited: boolean;
  partitionKey: (string | null)[];
  targets: Target[];
};

const indexJson = (oid: string, table: string) => `(select json_build_object('own', i.indrelid = ${table},
    'unique', i.indisunique, 'valid', i.indisvalid, 'definition', pg_catalog.pg_get_indexdef(i.indexrelid),
    'plain', i.indpred is null and i.indexprs is null,
    'nullsEqual', coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
    'columns', (select coalesce(json_agg(a.attname order by k.place), '[]')
      from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where k.place <= i.indnkeyatts))
  from pg_catalog.pg_index i where i.indexrelid = ${oid})`;

const relation = (schema: string, name: string): string =>
  `(select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${literal(schema)} and c.relname = ${literal(name)})`;

const statement = ({oid, schema}: Table, name: string): string => {
  const table = `${literal(oid)}::oid`;
  const meanwhile = literal(meanwhileName(name));
  const constraint = `pg_catalog.pg_constraint k where k.conrelid = ${table} and k.conname = ${literal(name)}`;
  return `select json_build_object(
    'constraint', (select json_build_object('type', k.contype, 'deferrable', k.condeferrable,
      'definition', pg_catalog.pg_get_constraintdef(k.oid), 'index', ${indexJson('k.conindid', table)}) from ${constraint}),
    'index', ${indexJson(relation(schema, name), table)},
    'taken', exists (select from pg_catalog.pg_class c where c.oid = ${relation(schema, name)}
      and not exists (select from pg_catalog.pg_index i where i.indexrelid = c.oid and i.indrelid = ${table})),
    'references', (select coalesce(json_agg(distinct f.conrelid::regclass::text), '[]') from pg_catalog.pg_constraint f
      where f.contype = 'f' and f.confrelid = ${table} and f.conindid = ${relation(schema, name)}),
    'trigger', exists (select from pg_catalog.pg_trigger g where g.tgrelid = ${table} and g.tgname = ${meanwhile}),
    'functions', (select count(*) from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where n.nspname = ${literal(schema)} and p.proname = ${meanwhile}),
    'inherited', exists (select from pg_catalog.pg_inherits h join pg_catalog.pg_class c on c.oid = h.inhparent
      where h.inhparent = ${table} and c.relkind = 'r'),
    'partitionKey', (select coalesce(json_agg(a.attname), '[]') from pg_catalog.pg_partitioned_table p
      cross join unnest(p.partattrs::int2[]) k(attnum)
      left join pg_catalog.pg_attribute a on a.attrelid = p.partrelid and a.attnum = k.attnum where p.partrelid = ${table}),
    'partitions', (select coalesce(json_agg(json_build_object('relation', c.relname, 'schema', n.nspname, 'kind', c.relkind)
        order by c.relname), '[]') from pg_catalog.pg_inherits h join pg_catalog.pg_class c on c.oid = h.inhrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace where h.inhparent = ${table} and c.relispartition))::text`;
};

type Partition = {relation: string; schema: string; kind: string};

/** What is there now. */
export const lookAtUnique = async (rule: RuleOf<'unique'>, table: Table, run: Run): Promise<SeenUnique> => {
  const name = constraintName(rule.columns);
  const [row] = await run({text: statement(table, name), values: []});
  const {partitions, ...seen} = JSON.parse(row![0]!) as Omit<SeenUnique, 'name' | 'targets'> & {
    partitions: Partition[];
  };
  const parts: Partition[] = table.kind === 'p' ? partitions : [{...table, kind: table.kind}];
  const targets: Target[] = [];
  for (const {relation: part, schema, kind} of parts) {
    const index = table.kind === 'p' ? objectName(`${name}_${part}`) : name;
    const helper = meanwhileName(index);
    const sql = `${ident(schema)}.${ident(part)}`;
    const of = `${literal(sql)}::regclass`;
    const [found] = await run({
      text: `select ${indexJson(relation(schema, index), of)}::text, ${indexJson(relation(schema, helper), of)}::text`,
      values: [],
    });
    const [built, help] = found!.map(json => json && (JSON.parse(json) as SeenIndex)) as (SeenIndex | null)[];
    targets.push({
      relation: part,
      sql,
      kind,
      schema,
      index,
      helper,
      built: built ?? null,
      help: help ?? null,
    });
  }
  return {name, ...seen, targets};
};

/** Whether both are the same columns, in whatever order. */
export const sameColumns = (found: string[], wanted: string[]): boolean =>
  found.length === wanted.length && wanted.every(name => found.includes(name));

/** Why an index can't keep this rule; null when it can. Order does not matter. */
export const indexFault = (index: SeenIndex | null, columns: string[]): string | null => {
  if (!index) return 'has no index';
  if (!index.unique) return 'is not unique';
  if (!index.plain) return 'is on a part of the rows, or on expressions';
  if (!sameColumns(index.columns, columns)) return `is on ${index.columns.join(', ')}`;
  if (index.nullsEqual) return 'has NULLS NOT DISTINCT';
  return index.valid ? null : 'is invalid: its build was not finished';
};

/** Why the constraint of this name does not keep the rule; null when it does, or when there is none. */
export const constraintFault = ({constraint}: SeenUnique, columns: string[]): string | null => {
  if (!constraint) return null;
  if (constraint.type !== 'u') return 'is no unique constraint';
  if (constraint.deferrable) return 'is deferrable';
  return indexFault(constraint.index, columns);
};

export const isKept = (seen: SeenUnique, columns: string[]): boolean =>
  seen.constraint !== null && constraintFault(seen, columns) === null;

/** An install has begun and was not finished. */
export const isUnfinished = ({trigger, functions, targets}: SeenUnique): boolean =>
  trigger || functions > 0 || targets.some(({help}) => help !== null);
