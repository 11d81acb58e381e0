/** Arrays are stored sorted: a function that sorts, and a trigger before each insert and update. */
import {SesstuiError} from '../../../../source/errors.js';
import type {Json} from '../../../../source/values.js';
import {columnOf} from '../../catalogue.js';
import type {Run} from '../../session.js';
import type {Place, RuleKeeper, RuleOf, Task} from '../rule.js';
import {switchTrigger} from '../sql/trigger-switch.js';
import {proveSorted} from './proofs.js';
import {sortedScript} from './script.js';
import {differences, isGood, lookAtSort, type SeenFunction, type SeenSort} from './sort-seen.js';
import * as sql from './sort-sql.js';

type Sorted = RuleOf<'sorted'>;

/** What was there before the install, as statements that put it back. */
type Before = Record<string, {sorter: string | null; function: string | null; trigger: string[] | null}>;

const look = async (rule: Sorted, {table}: Place, run: Run): Promise<SeenSort[]> => {
  const seen: SeenSort[] = [];
  for (const column of rule.columns) seen.push(await lookAtSort(sql.sortedColumn(table, column), table, run));
  return seen;
};

const unavailable = ({columns}: Sorted, {table}: Place): string | null => {
  for (const name of columns) {
    const column = columnOf(table, name);
    if (!column) return `"${table.name}" has no column "${name}"`;
    if (column.type.family !== 'array') return `${name} is no array, but ${column.type.name}`;
    if (column.generated) return `${name} is generated: a trigger can't sort it`;
  }
  return null;
};

const refuse = (what: string, users: {label: string}[]): never => {
  const [first, ...others] = users.map(({label}) => label);
  const too = others.length > 0 ? ` (and ${others.length} more)` : '';
  throw new SesstuiError(
    'unsupported',
    first
      ? `${what} is another function, and is used by ${first}${too}.`
      : `${what} is another function, with another result or argument.`,
    'Rename that function, or the one that uses it, first.',
  );
};

/** `create or replace` keeps the rights and dependents of a function, but not every other one can be replaced. */
const putFunction = (
  found: SeenFunction | null,
  signature: string,
  create: string[],
  shape: {argument: string | null; result: string},
  strangers: {label: string}[],
): string[] => {
  if (isGood(found)) return [];
  if (!found) return create;
  if (strangers.length > 0 || found.argument !== shape.argument || found.result !== shape.result)
    refuse(signature, strangers);
  return create.slice(0, 1);
};

const install = (seen: SeenSort[]): Task[] => {
  const own = new Set(seen.map(({at}) => sql.triggerOf(at).functionName));
  const statements = seen.flatMap(({at, sorter: found, disagrees, function: calls, trigger}) => {
    const sorter = found && disagrees ? {...found, is: 'other' as const} : found;
    const array = {argument: 'arr', result: sorter?.result ?? ''};
    const strangers = sorter?.users.filter(({name}) => !own.has(name)) ?? [];
    return [
      ...putFunction(sorter, sql.sorterOf(at).signature, sql.createSorter(at), array, strangers),
      ...putFunction(
        calls,
        sql.triggerOf(at).signature,
        sql.createTriggerFunction(at),
        {argument: null, result: 'trigger'},
        calls?.users ?? [],
      ),
      ...(trigger && trigger.why === null ? [] : [sql.dropTrigger(at), sql.createTrigger(at)]),
    ];
  });
  if (statements.length === 0) return [];
  const columns = seen.map(({at}) => at.column).join(', ');
  return [
    {
      name: 'trigger',
      phase: 'refuse',
      text: `sorts ${columns} of each row that is inserted or updated`,
      // Columns with elements of one type share a function.
      statements: [...new Set(statements)],
      how: 'transaction',
    },
  ];
};

const captureOf = async (rule: Sorted, place: Place, run: Run): Promise<Json> => {
  const seen = await look(rule, place, run);
  const isOurs = ({sorter, function: calls, trigger}: SeenSort): boolean =>
    sorter?.is === 'exact' && calls?.is === 'exact' && trigger?.why === null && trigger.enabled === 'O';
  const isNothing = ({sorter, function: calls, trigger}: SeenSort): boolean => !sorter && !calls && !trigger;
  // An install puts in all of it at once: what is whole and ours is of one that was not finished with the rest.
  if (seen.every(isNothing) || seen.every(isOurs)) return null;
  const before: Before = {};
  for (const {at, sorter, function: calls, trigger} of seen) {
    const restored = trigger && [
      trigger.definition,
      ...switchTrigger(trigger.enabled, sql.triggerOf(at).name, at.table),
    ];
    before[at.column] = {
      sorter: sorter?.definition ?? null,
      function: calls?.definition ?? null,
      trigger: restored,
    };
  }
  return before;
};

const triggersBack = ({at, function: calls, trigger}: SeenSort, before: Before[string] | undefined) => {
  const drop = sql.dropTrigger(at);
  if (!before?.trigger) return {drop: trigger?.calls && isGood(calls) ? [drop] : [], create: []};
  const isSame =
    trigger?.definition === before.trigger[0] &&
    switchTrigger(trigger?.enabled, sql.triggerOf(at).name, at.table)[0] === before.trigger[1];
  return isSame ? {drop: [], create: []} : {drop: [drop], create: before.trigger};
};

const uninstall = (seen: SeenSort[], before: Before): Task[] => {
  const stays = new Set<string>();
  const isFree = (what: string, users: {label: string}[]): boolean => {
    if (users.length > 0) stays.add(`${what} stays, as ${users.map(({label}) => label).join(', ')} uses it`);
    return users.length === 0;
  };
  const triggers = seen.map(each => triggersBack(each, before[each.at.column]));
  const functions = seen.flatMap(({at, function: calls}) => {
    const {functionName, signature} = sql.triggerOf(at);
    const was = before[at.column]?.function;
    if (was) return calls?.definition === was ? [] : [{name: functionName, statement: was}];
    const goes = isGood(calls) && isFree(`${functionName}()`, calls!.users);
    return goes ? [{name: functionName, statement: `drop function ${signature}`}] : [];
  });
  // Ours call the sorter; what comes back in their place did without it.
  const gone = new Set(functions.map(({name}) => name));
  const sorters = seen.flatMap(({at, sorter}) => {
    const was = before[at.column]?.sorter;
    if (was) return sorter?.definition === was ? [] : [was];
    const strangers = sorter?.users.filter(({name}) => !gone.has(name)) ?? [];
    const {name, signature} = sql.sorterOf(at);
    return isGood(sorter) && isFree(`${name}()`, strangers) ? [`drop function ${signature}`] : [];
  });
  const statements = [
    ...triggers.flatMap(({drop}) => drop),
    ...functions.map(({statement}) => statement),
    ...new Set(sorters),
    ...triggers.flatMap(({create}) => create),
  ];
  if (statements.length === 0) return [];
  const columns = seen.map(({at}) => at.column).join(', ');
  const text = [`stops sorting ${columns}`, ...stays].join('; ');
  return [{name: 'trigger', phase: 'tidy', text, statements, how: 'transaction'}];
};

export const sorted: RuleKeeper<Sorted> = {
  unavailable,
  async state(rule, place, run) {
    const seen = await look(rule, place, run);
    const differing = seen.flatMap(differences);
    const some = seen.some(({trigger}) => trigger !== null);
    const lacking = some ? seen.filter(({trigger}) => !trigger) : [];
    const why = [
      ...new Set([...differing, ...lacking.map(({at}) => `there is no ${sql.triggerOf(at).name}`)]),
    ];
    if (why.length > 0) return {state: 'drifted', why: why.join('; ')};
    const isThere = seen.every(each => each.trigger && isGood(each.function) && isGood(each.sorter));
    return {state: isThere ? 'installed' : 'missing', why: null};
  },
  capture: captureOf,
  async tasks(rule, place, direction, run, before) {
    const seen = await look(rule, place, run);
    return direction === 'install' ? install(seen) : uninstall(seen, (before ?? {}) as Before);
  },
  script: sortedScript,
  prove: proveSorted,
};
