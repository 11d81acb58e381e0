/** Of the rows that match, one for each key: a partial unique index on the expressions that queries use. */
import {SesstuiError} from '../../../../source/errors.js';
import {attributesOf, attributesOfPred} from '../../../../source/forms.js';
import {columnOf, type Table} from '../../catalogue.js';
import type {Run} from '../../session.js';
import {dollarQuoted, ident, literal} from '../../sql.js';
import type {Place, RuleKeeper, RuleOf, ScriptPlace, Task} from '../rule.js';
import {scriptTable} from '../sql/assumed-table.js';
import {objectName, qualified} from '../sql/names.js';
import {findIndex, foundIndexes, indexSeen, nameTaken} from './found-indexes.js';
import {
  definitionSql,
  type IndexDefinition,
  isEnumeration,
  labelsOf,
  oneDefinition,
} from './index-definition.js';
import {dropIndexTask, indexTasks, partitionRefusal} from './index-tasks.js';
import {dropLeftOver, isUnfinished, lookAtMeanwhile, meanwhileTasks, tidyTask} from './meanwhile.js';
import {proveOne} from './proof.js';

type One = RuleOf<'one'>;

const attributes = (rule: One): string[] => [
  ...rule.key.flatMap(attributesOf),
  ...attributesOfPred(rule.where),
];

/** A dotted name is a path into a column. */
const hasColumn = (table: Table, name: string): boolean =>
  columnOf(table, name) !== undefined || columnOf(table, name.split('.')[0]!)?.type.family === 'json';

const unavailable = (rule: One, {table}: Place): string | null => {
  const absent = attributes(rule).find(name => !hasColumn(table, name));
  if (absent !== undefined) return `"${table.name}" has no column "${absent}"`;
  for (const expr of rule.key) {
    const column = 'norm' in expr ? columnOf(table, expr.norm) : undefined;
    if (column && (column.type.family !== 'text' || isEnumeration(column)) && column.type.family !== 'json')
      return `"${column.name}" is ${column.type.name}, which is no text to be trimmed and lower-cased`;
  }
  return null;
};

const definitionAt = async (rule: One, {table, lower}: Place, run: Run): Promise<IndexDefinition> =>
  oneDefinition({...rule, name: objectName(rule.name)}, table, lower, await labelsOf(table, run));

/** What only the server can tell: partitions that rule it out, or a name that is taken. */
const refusedAt = async ({table}: Place, {name, keys}: IndexDefinition, run: Run): Promise<string | null> =>
  (await partitionRefusal(table, keys, run)) ?? (await nameTaken(table, name, run));

/** The old index of the name, made again. */
const restoreTask = (definition: string, name: string, {table}: Place): Task => ({
  name: 'previous index',
  phase: 'tidy',
  text: 'Puts back the index that was there before.',
  how: table.kind === 'p' ? 'transaction' : 'index',
  index: name,
  statements: [
    table.kind === 'p'
      ? definition
      : definition.replace(/^CREATE (UNIQUE )?INDEX /, 'CREATE $1INDEX CONCURRENTLY '),
  ],
});

const install = async (rule: One, place: Place, run: Run): Promise<Task[]> => {
  const wanted = await definitionAt(rule, place, run);
  const indexes = await foundIndexes(place.table, run);
  const found = findIndex(indexes, wanted);
  const meanwhile = await lookAtMeanwhile(wanted, place, indexes, run);
  const tidy = tidyTask(wanted, place);
  if (indexSeen(found, wanted).state === 'installed') return isUnfinished(meanwhile) ? [tidy] : [];
  const why = await refusedAt(place, wanted, run);
  if (why) throw new SesstuiError('unsupported', why);
  const refusing = await meanwhileTasks(wanted, place, meanwhile, run);
  const build = await indexTasks(place, wanted, 'enforce', run);
  // What an interrupted build left is dropped by the next build; that of partitions is gone on with.
  const inTheWay = found?.valid ? [await dropIndexTask(place, wanted.name, 'enforce', run)] : [];
  return [...refusing, ...inTheWay, ...build, tidy];
};

const uninstall = async (rule: One, place: Place, run: Run, before: unknown): Promise<Task[]> => {
  const wanted = {name: objectName(rule.name)};
  const indexes = await foundIndexes(place.table, run);
  const found = indexes.find(({name}) => name === wanted.name);
  const previous = (before as {definition?: string} | null)?.definition;
  const rest = isUnfinished(await lookAtMeanwhile(wanted, place, indexes, run))
    ? [tidyTask(wanted, place)]
    : [];
  if (found?.valid && found.definition === previous) return rest;
  return [
    ...rest,
    ...(found ? [await dropIndexTask(place, wanted.name, 'enforce', run)] : []),
    ...(previous ? [restoreTask(previous, wanted.name, place)] : []),
  ];
};

/** That index of the table, if it is unique: what else has the name is somebody else's. */
const ownIndex = (index: string, table: Table): string =>
  `select from pg_catalog.pg_index where indexrelid = pg_catalog.to_regclass(${literal(index)})
      and indrelid = ${literal(table.sql)}::pg_catalog.regclass and indisunique and indpred is not null`;

const up = (rule: One, place: ScriptPlace): string[] => {
  const table = scriptTable(place, attributes(rule));
  const name = objectName(rule.name);
  const wanted = oneDefinition({...rule, name}, table, place.lower, new Map());
  const index = qualified(table.schema, name);
  return [
    `-- An index that an interrupted build left, if there is one, is of no use
do $$ begin
  if exists (select from pg_catalog.pg_index where indexrelid = to_regclass(${literal(index)}) and not indisvalid) then
    drop index ${index};
  end if;
end $$`,
    `create unique index if not exists ${ident(name)} on ${definitionSql(wanted, table.sql)}`,
    `-- The name alone does not make it one
do ${dollarQuoted(
      ` begin
  if not exists (${ownIndex(index, table)}) then
    raise exception '% is something else than this unique index: drop or rename it first', ${literal(index)};
  end if;
end `,
    )}`,
    dropLeftOver(wanted, table),
  ];
};

export const one: RuleKeeper<One> = {
  unavailable,
  async state(rule, place, run) {
    const wanted = await definitionAt(rule, place, run);
    const indexes = await foundIndexes(place.table, run);
    const seen = indexSeen(findIndex(indexes, wanted), wanted);
    if (seen.state !== 'unavailable' && isUnfinished(await lookAtMeanwhile(wanted, place, indexes, run)))
      return {state: 'drifted', why: 'an install was not finished'};
    if (seen.state === 'installed') return seen;
    const why = await refusedAt(place, wanted, run);
    return why ? {state: 'unavailable', why} : seen;
  },
  async capture(rule, place, run) {
    const wanted = await definitionAt(rule, place, run);
    const indexes = await foundIndexes(place.table, run);
    const found = indexes.find(({name}) => name === wanted.name);
    // A broken one is what an interrupted build left: nothing to put back.
    if (!found?.valid) return null;
    // Nor is the index of an install that was not finished.
    const isOurs = indexSeen(found, wanted).state === 'installed';
    if (isOurs && isUnfinished(await lookAtMeanwhile(wanted, place, indexes, run))) return null;
    return {definition: found.definition};
  },
  tasks: (rule, place, direction, run, before) =>
    direction === 'install' ? install(rule, place, run) : uninstall(rule, place, run, before),
  script(rule, place, direction) {
    if (direction === 'install') return up(rule, place);
    const table = scriptTable(place, attributes(rule));
    const index = qualified(table.schema, objectName(rule.name));
    return [
      `do ${dollarQuoted(
        ` begin
  if exists (select from pg_catalog.pg_index i where i.indexrelid = pg_catalog.to_regclass(${literal(index)})
      and i.indrelid = pg_catalog.to_regclass(${literal(table.sql)}) and i.indisunique and i.indpred is not null) then
    drop index ${index};
  end if;
end `,
      )}`,
      dropLeftOver({name: objectName(rule.name)}, table),
    ];
  },
  prove: proveOne,
};
