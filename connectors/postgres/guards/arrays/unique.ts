/** No two rows are equal: a unique constraint, put in beside writers. */
import {SesstuiError} from '../../../../source/errors.js';
import type {Json} from '../../../../source/values.js';
import type {Run} from '../../session.js';
import {ident} from '../../sql.js';
import type {Place, RuleKeeper, RuleOf, Task} from '../rule.js';
import {createHash, createHelper, createMeanwhile, dropMeanwhile, namesOf} from './meanwhile.js';
import {needsHelper} from './meanwhile-index.js';
import {qualified} from './names.js';
import {proveUnique} from './proofs.js';
import {uniqueMigration, uniqueScript} from './script.js';
import {catalogueFault, refuseRows, unavailable} from './unique-refusals.js';
import {
  constraintFault,
  indexFault,
  isKept,
  isUnfinished,
  lookAtUnique,
  type SeenUnique,
  sameColumns,
} from './unique-seen.js';

type Unique = RuleOf<'unique'>;

/** What was there under the constraint's name. */
type Before = {index: string; constraint: string | null};

const listed = (columns: string[]): string => columns.map(ident).join(', ');

const tidy = (rule: Unique, place: Place, seen: SeenUnique): Task => ({
  name: 'tidy',
  phase: 'tidy',
  text: 'drops what was there for the time of the install only',
  statements: dropMeanwhile(
    rule,
    place,
    seen.targets.map(({schema, helper}) => qualified(schema, helper)),
  ),
  how: 'transaction',
});

const prepare = (rule: Unique, place: Place, seen: SeenUnique, indexed: boolean): Task[] => {
  if (seen.trigger) return [];
  const helpers = indexed ? seen.targets.filter(({help}) => !help?.valid) : [];
  const {hash, meanwhile} = namesOf(rule, place);
  return [
    {
      name: 'hash',
      phase: 'prepare',
      text: `makes ${hash}, a hash of ${rule.columns.join(', ')} for the time of the install`,
      statements: createHash(rule, place),
      how: 'transaction',
    },
    ...helpers.map(
      ({helper, relation, schema, sql}): Task => ({
        name: `helper ${relation}`,
        phase: 'prepare',
        text: `builds an index on ${relation} by which a second row is found, for the time of the install`,
        statements: [createHelper(rule, place, helper, sql)],
        how: 'index',
        index: helper,
        schema,
      }),
    ),
    {
      name: 'meanwhile',
      phase: 'refuse',
      text: `${meanwhile} refuses a second row with the same ${rule.columns.join(', ')} until the constraint does`,
      statements: createMeanwhile(rule, place, indexed),
      how: 'transaction',
    },
  ];
};

/** What is in the place of the constraint or its index, and something else. */
const makeRoom = ({columns}: Unique, {table}: Place, seen: SeenUnique): Task[] => {
  const {name, constraint, index, references} = seen;
  const isOther = constraint
    ? constraintFault(seen, columns) !== null
    : index?.valid === true && indexFault(index, columns) !== null;
  if (!isOther) return [];
  if (references.length > 0)
    throw new SesstuiError(
      'unsupported',
      `${name} is another constraint, and ${references.join(', ')} refers to it.`,
    );
  return [
    {
      name: 'make-room',
      phase: 'enforce',
      text: `drops the ${constraint ? 'constraint' : 'index'} that is called ${name} and ${constraint ? constraintFault(seen, columns) : indexFault(index, columns)}`,
      statements: [
        constraint
          ? `alter table ${table.sql} drop constraint ${ident(name)}`
          : `drop index ${qualified(table.schema, name)}`,
      ],
      how: 'transaction',
    },
  ];
};

const enforce = (rule: Unique, place: Place, seen: SeenUnique): Task[] => {
  const {columns} = rule;
  const {table} = place;
  const room = makeRoom(rule, place, seen);
  const constraint = ident(seen.name);
  const using = (sql: string, index: string): string =>
    `alter table ${sql} add constraint ${ident(index)} unique using index ${ident(index)}`;
  const isParent = table.kind === 'p';
  const indexes = seen.targets
    .filter(({built}) => (room.length > 0 && !isParent) || indexFault(built, columns) !== null)
    .map(
      ({relation, schema, index, sql}): Task => ({
        name: isParent ? `index ${relation}` : 'index',
        phase: 'enforce',
        text: `builds the unique index ${index} beside the writers`,
        statements: [`create unique index concurrently ${ident(index)} on ${sql} (${listed(columns)})`],
        how: 'index',
        index,
        schema,
      }),
    );
  // A parent's constraint is made of its partitions': PostgreSQL's manual, on partition maintenance.
  const statements = isParent
    ? [
        `alter table only ${table.sql} add constraint ${constraint} unique (${listed(columns)})`,
        ...seen.targets.flatMap(({schema, sql, index}) => [
          using(sql, index),
          `alter index ${qualified(table.schema, seen.name)} attach partition ${qualified(schema, index)}`,
        ]),
      ]
    : [using(table.sql, seen.name)];
  return [
    ...room,
    ...indexes,
    {
      name: 'constraint',
      phase: 'enforce',
      text: `makes it the constraint ${seen.name}`,
      statements,
      how: 'transaction',
    },
  ];
};

const install = async (rule: Unique, place: Place, seen: SeenUnique, run: Run): Promise<Task[]> => {
  if (isKept(seen, rule.columns)) return isUnfinished(seen) ? [tidy(rule, place, seen)] : [];
  // It looks at all rows: once for an install, not before each of its steps.
  if (!isUnfinished(seen)) await refuseRows(rule, place, run);
  const indexed = !seen.trigger && (await needsHelper(rule, place, seen, run));
  return [...prepare(rule, place, seen, indexed), ...enforce(rule, place, seen), tidy(rule, place, seen)];
};

const beforeOf = ({columns}: Unique, seen: SeenUnique): Before | null => {
  const {constraint, index} = seen;
  if (!index?.valid || isKept(seen, columns)) return null;
  // The index of an install that was not finished is no loss.
  if (!constraint && isUnfinished(seen)) return null;
  return {index: index.definition, constraint: constraint?.definition ?? null};
};

const putBack = (before: Before, {table}: Place, seen: SeenUnique, isGone: boolean): Task[] => {
  const now = {index: seen.index?.definition, constraint: seen.constraint?.definition ?? null};
  const isIndexThere = !isGone && now.index === before.index && seen.index?.valid === true;
  if (isIndexThere && now.constraint === before.constraint) return [];
  const timing = /(?: (?:NOT )?DEFERRABLE| INITIALLY (?:DEFERRED|IMMEDIATE))*$/.exec(
    before.constraint ?? '',
  )![0];
  const task = (name: string, text: string, statement: string, index?: string): Task => ({
    name,
    phase: 'tidy',
    text,
    statements: [statement],
    how: index ? 'index' : 'transaction',
    ...(index && {index}),
  });
  const concurrently = before.index.replace(/^CREATE (UNIQUE )?INDEX /, 'create $1index concurrently ');
  return [
    ...(isIndexThere
      ? []
      : [task('index-back', `builds the index ${seen.name} that was there before`, concurrently, seen.name)]),
    ...(before.constraint
      ? [
          task(
            'constraint-back',
            `makes it the constraint ${seen.name} again`,
            `alter table ${table.sql} add constraint ${ident(seen.name)} unique using index ${ident(seen.name)}${timing}`,
          ),
        ]
      : []),
  ];
};

const uninstall = (rule: Unique, place: Place, seen: SeenUnique, before: Before | null): Task[] => {
  const {columns} = rule;
  const {table} = place;
  const isOurs = isKept(seen, columns);
  if (isOurs && seen.references.length > 0)
    throw new SesstuiError(
      'unsupported',
      `${seen.references.join(', ')} refers to ${seen.name}.`,
      'Drop its foreign key first.',
    );
  const isBack = before !== null && !seen.constraint && seen.index?.definition === before.index;
  // Half of an install: an index that is not yet a constraint.
  const halves =
    isOurs || isBack
      ? []
      : seen.targets.filter(
          ({built}) => built?.own && !seen.constraint && sameColumns(built.columns, columns),
        );
  const statements = [
    ...(isOurs ? [`alter table ${table.sql} drop constraint ${ident(seen.name)}`] : []),
    ...halves.map(({schema, index}) => `drop index if exists ${qualified(schema, index)}`),
    ...(isUnfinished(seen) ? tidy(rule, place, seen).statements : []),
  ];
  const drop: Task = {
    name: 'constraint',
    phase: 'tidy',
    text: `drops ${seen.name}: a second row with the same ${columns.join(', ')} can be stored again`,
    statements,
    how: 'transaction',
  };
  return [
    ...(statements.length > 0 ? [drop] : []),
    ...(before ? putBack(before, place, seen, isOurs || halves.length > 0) : []),
  ];
};

const checked = async (rule: Unique, place: Place, run: Run): Promise<SeenUnique> => {
  const seen = await lookAtUnique(rule, place.table, run);
  const fault = catalogueFault(rule, place, seen);
  if (fault) throw new SesstuiError('unsupported', `${fault}.`);
  return seen;
};

export const unique: RuleKeeper<Unique> = {
  unavailable,
  async state(rule, place, run) {
    const seen = await lookAtUnique(rule, place.table, run);
    const fault = catalogueFault(rule, place, seen);
    if (fault) return {state: 'unavailable', why: fault};
    if (isUnfinished(seen)) return {state: 'drifted', why: 'an install was not finished'};
    const differs = constraintFault(seen, rule.columns);
    if (differs) return {state: 'drifted', why: `${seen.name} ${differs}`};
    if (seen.constraint) return {state: 'installed', why: null};
    if (!seen.index) return {state: 'missing', why: null};
    const index = indexFault(seen.index, rule.columns) ?? 'is an index only, not a constraint';
    return {state: 'drifted', why: `${seen.name} ${index}`};
  },
  async capture(rule, place, run): Promise<Json> {
    return beforeOf(rule, await lookAtUnique(rule, place.table, run));
  },
  async tasks(rule, place, direction, run, before) {
    const seen = await checked(rule, place, run);
    return direction === 'install'
      ? install(rule, place, seen, run)
      : uninstall(rule, place, seen, before as Before | null);
  },
  script: uniqueScript,
  migration: uniqueMigration,
  prove: proveUnique,
};
