/** Of the rows that match, one for each key: a partial unique index on the expressions that queries use. */
import {SesstuiError} from '../../../source/errors.js';
import {attributesOf, attributesOfPred} from '../../../source/forms.js';
import {columnOf, type Table} from '../catalogue.js';
import type {Run} from '../session.js';
import {literal} from '../sql.js';
import {besideTable, scriptTable} from './assumed-table.js';
import {findIndex, foundIndexes, indexSeen, nameTaken} from './found-indexes.js';
import {
  definitionSql,
  type IndexDefinition,
  isEnumeration,
  labelsOf,
  oneDefinition,
} from './index-definition.js';
import {dropIndexTask, indexTasks, partitionRefusal} from './index-tasks.js';
import {objectName} from './names.js';
import {proveOne} from './one-proof.js';
import type {Place, RuleKeeper, RuleOf, ScriptPlace, Task} from './rule.js';

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
  const found = findIndex(await foundIndexes(place.table, run), wanted);
  const {state} = indexSeen(found, wanted);
  if (state === 'installed') return [];
  const why = await refusedAt(place, wanted, run);
  if (why) throw new SesstuiError('unsupported', why);
  const build = await indexTasks(place, wanted, 'enforce', run);
  // What an interrupted build left is dropped by the next build; that of partitions is gone on with.
  const inTheWay = found?.valid ? [await dropIndexTask(place, wanted.name, 'enforce', run)] : [];
  return [...inTheWay, ...build];
};

const uninstall = async (rule: One, place: Place, run: Run, before: unknown): Promise<Task[]> => {
  const name = objectName(rule.name);
  const found = (await foundIndexes(place.table, run)).find(index => index.name === name);
  const previous = (before as {definition?: string} | null)?.definition;
  if (found?.valid && found.definition === previous) return [];
  return [
    ...(found ? [await dropIndexTask(place, name, 'enforce', run)] : []),
    ...(previous ? [restoreTask(previous, name, place)] : []),
  ];
};

const up = (rule: One, place: ScriptPlace): string[] => {
  const table = scriptTable(place, attributes(rule));
  const name = objectName(rule.name);
  const wanted = oneDefinition({...rule, name}, table, place.lower, new Map());
  const index = besideTable(table, name);
  return [
    `-- An index that an interrupted build left, if there is one, is of no use
do $$ begin
  if exists (select from pg_catalog.pg_index where indexrelid = to_regclass(${literal(index)}) and not indisvalid) then
    drop index ${index};
  end if;
end $$`,
    `create unique index if not exists ${besideTable({schema: ''}, name)} on ${definitionSql(wanted, table.sql)}`,
  ];
};

export const one: RuleKeeper<One> = {
  unavailable,
  async state(rule, place, run) {
    const wanted = await definitionAt(rule, place, run);
    const seen = indexSeen(findIndex(await foundIndexes(place.table, run), wanted), wanted);
    if (seen.state === 'installed') return seen;
    const why = await refusedAt(place, wanted, run);
    return why ? {state: 'unavailable', why} : seen;
  },
  async capture(rule, {table}, run) {
    const found = (await foundIndexes(table, run)).find(({name}) => name === objectName(rule.name));
    // A broken one is what an interrupted build left: nothing to put back.
    return found?.valid ? {definition: found.definition} : null;
  },
  tasks: (rule, place, direction, run, before) =>
    direction === 'install' ? install(rule, place, run) : uninstall(rule, place, run, before),
  script(rule, place, direction) {
    if (direction === 'install') return up(rule, place);
    return [
      `drop index if exists ${besideTable(scriptTable(place, attributes(rule)), objectName(rule.name))}`,
    ];
  },
  prove: proveOne,
};
