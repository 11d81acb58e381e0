/** The tasks that build a unique index beside live writers, on a table or on each partition of one. */
import type {GuardPhase} from '../../../../source/guards.js';
import type {Table} from '../../catalogue.js';
import type {Run} from '../../session.js';
import {ident} from '../../sql.js';
import type {Place, Task} from '../rule.js';
import {objectName, qualified} from '../sql/names.js';
import {definitionSql, type IndexDefinition} from './index-definition.js';

type Wanted = IndexDefinition & {
  /** Its columns and name become a UNIQUE constraint (keys are plain columns, without a condition). */
  constraint?: boolean;
};

type Part = {oid: string; schema: string; relation: string; isLeaf: boolean; parent: string};

const partsText = `select t.relid::oid::text, n.nspname, c.relname, t.isleaf, t.parentrelid::oid::text
  from pg_catalog.pg_partition_tree($1::oid::regclass) t
  join pg_catalog.pg_class c on c.oid = t.relid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where t.level > 0 order by t.level desc, n.nspname, c.relname`;

const partsOf = async ({oid}: Table, run: Run): Promise<Part[]> =>
  (await run({text: partsText, values: [oid]})).map(([part, schema, relation, leaf, parent]) => ({
    oid: part!,
    schema: schema!,
    relation: relation!,
    isLeaf: leaf === 't',
    parent: parent!,
  }));

/** The columns that a table is partitioned by; null for one that is partitioned by an expression. */
const partitionColumns = async ({oid}: Table, run: Run): Promise<string[] | null> => {
  const rows = await run({
    text: `select a.attname from pg_catalog.pg_partitioned_table p cross join unnest(p.partattrs::int2[]) k(attnum)
      left join pg_catalog.pg_attribute a on a.attrelid = p.partrelid and a.attnum = k.attnum where p.partrelid = $1::oid`,
    values: [oid],
  });
  return rows.some(([name]) => name === null) ? null : rows.map(([name]) => name!);
};

/** Why a partitioned table can't have a unique index on these keys (as SQL); null when it can, or is not partitioned. */
export const partitionRefusal = async (table: Table, keys: string[], run: Run): Promise<string | null> => {
  if (table.kind !== 'p') return null;
  const columns = await partitionColumns(table, run);
  if (columns?.every(name => keys.includes(ident(name)))) return null;
  return `"${table.name}" is partitioned by ${columns?.join(', ') ?? 'an expression'}: a unique index over all partitions has to have that among its columns`;
};

const building = 'Builds the unique index beside live writers.';

const createText = (definition: IndexDefinition, on: string, how = ''): string =>
  `create unique index${how} ${ident(definition.name)} on ${definitionSql(definition, on)}`;

const ofTable = (wanted: Wanted, table: Table, phase: GuardPhase): Task => ({
  name: 'index',
  phase,
  text: building,
  how: 'index',
  index: wanted.name,
  statements: [createText(wanted, table.sql, ' concurrently')],
});

const partSql = ({schema, relation}: Part): string => `${ident(schema)}.${ident(relation)}`;
const partName = (wanted: {name: string}, {relation}: Part): string =>
  objectName(`${relation}_${wanted.name}`);

/** The whole's index, which holds from when each partition has its part of it; without a row looked at. */
const wholeTask = (wanted: Wanted, table: Table, phase: GuardPhase): Task => ({
  name: 'parent index',
  phase,
  text: 'Declares the unique index on the partitioned table, where partitions will be put under it.',
  how: 'transaction',
  statements: [
    wanted.constraint
      ? `alter table only ${table.sql} add constraint ${ident(wanted.name)} unique (${wanted.keys.join(', ')})`
      : createText(wanted, `only ${table.sql}`),
  ],
});

const attachTexts = (wanted: Wanted, part: Part, parentIndex: string): string[] => {
  const name = partName(wanted, part);
  const index = `${ident(part.schema)}.${ident(name)}`;
  const own = wanted.constraint
    ? [`alter table ${partSql(part)} add constraint ${ident(name)} unique using index ${ident(name)}`]
    : [];
  return [...(part.isLeaf ? own : []), `alter index ${parentIndex} attach partition ${index}`];
};

const attachedText = `select h.inhrelid::oid::text from pg_catalog.pg_inherits h
  join pg_catalog.pg_index i on i.indexrelid = h.inhparent join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_index o on o.indexrelid = h.inhrelid
  where i.indrelid = $1::oid and c.relname = $2::text and o.indrelid = $3::oid`;

/** What is left to be built of an index over partitions, deepest first, each attached to its parent's. */
const ofPartitions = async (wanted: Wanted, table: Table, phase: GuardPhase, run: Run): Promise<Task[]> => {
  const parts = await partsOf(table, run);
  const byOid = new Map(parts.map(part => [part.oid, part]));
  const there = async (schema: string, name: string): Promise<boolean> =>
    (
      await run({
        text: 'select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1::text and c.relname = $2::text',
        values: [schema, name],
      })
    ).length > 0;
  const tasks: Task[] = [];
  if (!(await there(table.schema, wanted.name))) tasks.push(wholeTask(wanted, table, phase));
  for (const part of [...parts].reverse().filter(({isLeaf}) => !isLeaf)) {
    const own = {...wanted, name: partName(wanted, part)};
    if (await there(part.schema, own.name)) continue;
    const task = wholeTask(own, {...table, sql: partSql(part)}, phase);
    tasks.push({...task, name: `parent index of ${part.relation}`});
  }
  for (const part of parts) {
    const parent = byOid.get(part.parent);
    const parentName = parent ? partName(wanted, parent) : wanted.name;
    const attached = await run({text: attachedText, values: [part.parent, parentName, part.oid]});
    if (attached.length > 0) continue;
    const name = partName(wanted, part);
    if (part.isLeaf)
      tasks.push({
        ...ofTable({...wanted, name}, {...table, sql: partSql(part)}, phase),
        name: `index of ${part.relation}`,
        text: `Builds the unique index of the partition ${part.relation} beside live writers.`,
        schema: part.schema,
      });
    const parentIndex = parent
      ? `${ident(parent.schema)}.${ident(parentName)}`
      : qualified(table.schema, parentName);
    tasks.push({
      name: `attach ${part.relation}`,
      phase,
      text: `Puts the index of ${part.relation} under that of the whole table.`,
      how: 'transaction',
      statements: attachTexts(wanted, part, parentIndex),
    });
  }
  return tasks;
};

/** The tasks that are left until the index (or constraint) holds. Ask only where there is no valid one of the name. */
export const indexTasks = async (
  {table}: Place,
  wanted: Wanted,
  phase: GuardPhase,
  run: Run,
): Promise<Task[]> =>
  table.kind === 'p' ? ofPartitions(wanted, table, phase, run) : [ofTable(wanted, table, phase)];

/** Drops an index; that of a partitioned table goes with its parts, attached or not, and waits for writers. */
export const dropIndexTask = async (
  {table}: Place,
  name: string,
  phase: GuardPhase,
  run: Run,
): Promise<Task> => {
  const whole = qualified(table.schema, name);
  if (table.kind !== 'p')
    return {
      name: 'drop index',
      phase,
      text: 'Drops the index beside live writers.',
      how: 'each',
      statements: [`drop index concurrently if exists ${whole}`],
    };
  const parts = (await partsOf(table, run)).map(
    part => `${ident(part.schema)}.${ident(partName({name}, part))}`,
  );
  return {
    name: 'drop index',
    phase,
    text: 'Drops the unique index of the table and of its partitions.',
    how: 'transaction',
    statements: [whole, ...parts].map(index => `drop index if exists ${index}`),
  };
};
