/** The tasks that put a unique constraint in beside writers. */
import {SesstuiError} from '../../../../source/errors.js';
import type {Run} from '../../session.js';
import {ident} from '../../sql.js';
import type {Place, RuleOf, Task} from '../rule.js';
import {qualified} from '../sql/names.js';
import {createHash, createHelper, createMeanwhile, namesOf, tidyTask} from './meanwhile.js';
import {needsHelper} from './meanwhile-index.js';
import {refuseRows} from './unique-refusals.js';
import {constraintFault, indexFault, isKept, isUnfinished, type SeenUnique} from './unique-seen.js';

type Unique = RuleOf<'unique'>;

const listed = (columns: string[]): string => columns.map(ident).join(', ');

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
      text: `${meanwhile} refuses a second row with the same ${rule.columns.join(', ')} until the constraint does: it gets 23505, also with ON CONFLICT DO NOTHING`,
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

/** What is left of an install, from what is there. */
export const installUnique = async (
  rule: Unique,
  place: Place,
  seen: SeenUnique,
  run: Run,
): Promise<Task[]> => {
  if (isKept(seen, rule.columns)) return isUnfinished(seen) ? [tidyTask(rule, place, seen)] : [];
  // It looks at all rows: once for an install, not before each of its steps.
  if (!isUnfinished(seen)) await refuseRows(rule, place, run);
  const indexed = !seen.trigger && (await needsHelper(rule, place, seen, run));
  return [...prepare(rule, place, seen, indexed), ...enforce(rule, place, seen), tidyTask(rule, place, seen)];
};
