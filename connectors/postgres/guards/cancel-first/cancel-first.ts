/**
 * Stale waiting sessions are cancelled before a new one is made (guard `auto-cancel`): a BEFORE INSERT trigger, so that
 * it comes before a unique index on open sessions would refuse the new one.
 */
import {SesstuiError} from '../../../../source/errors.js';
import type {Json} from '../../../../source/values.js';
import type {Run} from '../../session.js';
import {literal} from '../../sql.js';
import type {Place, RuleKeeper, RuleOf, Task} from '../rule.js';
import {switchTrigger} from '../sql/trigger-switch.js';
import {tableForScript} from './assumed.js';
import {proveCancelFirst} from './proof.js';
import {functionDiffers, inTheWay, remarks, type Seen, seeCancelFirst, triggerDiffers} from './seen.js';
import {
  assignments,
  createFunction,
  createTrigger,
  dropFunction,
  dropTrigger,
  functionBody,
  mark,
  nameOf,
} from './sql.js';

type Rule = RuleOf<'cancel-first'>;

/** What stood in its place: CREATE statements. */
type Before = {function: string | null; trigger: string | null; enabled: string | null};

/** A value that its column can't hold would be found out only when a session is stale. */
const refusedValue = async (rule: Rule, {table}: Place, run: Run): Promise<string | null> => {
  for (const {column, text, how, path} of assignments(rule, table)) {
    if (how !== 'text' || text === null || path.length > 0 || column.type.base === 'text') continue;
    await run({text: 'savepoint value', values: []});
    const fits = await run({text: `select ${literal(text)}::${column.type.cast}`, values: []}).then(
      () => true,
      () => false,
    );
    await run({text: 'rollback to savepoint value', values: []});
    if (!fits) return `"${column.name}" (${column.type.name}) can't be '${text}'`;
  }
  return null;
};

const why = (...texts: (string | null)[]): string | null => texts.filter(Boolean).join('; ') || null;

const installTasks = (rule: Rule, place: Place, seen: Seen): Task[] => {
  const {table, lower} = place;
  const [ofFunction, ofTrigger] = [functionDiffers(rule, place, seen), triggerDiffers(seen)];
  if (!ofFunction && !ofTrigger) return [];
  const remark = remarks(rule, seen);
  return [
    {
      name: 'trigger',
      phase: 'prepare',
      text: `Creates the trigger that cancels a customer's stale sessions before a new one is stored; writers wait for moments${remark ? ` (${remark})` : ''}.`,
      how: 'transaction',
      statements: [
        ...(ofFunction ? [createFunction(rule, table, lower)] : []),
        ...(ofTrigger && seen.trigger ? [dropTrigger(table)] : []),
        ...(ofTrigger ? [createTrigger(table)] : []),
      ],
    },
  ];
};

const restored = (before: Before | null, table: Place['table']): string[] => {
  const {function: definition, trigger, enabled} = before ?? {function: null, trigger: null, enabled: null};
  return [
    ...(definition ? [definition.trimEnd()] : []),
    ...(trigger ? [trigger, ...switchTrigger(enabled, nameOf(table), table.sql)] : []),
  ];
};

const uninstallTasks = ({table}: Place, seen: Seen, before: Before | null): Task[] => {
  const back = restored(before, table);
  const isBack =
    (before?.function ?? null) === (seen.function?.definition ?? null) &&
    (before?.trigger ?? null) === (seen.trigger?.definition ?? null) &&
    (before?.enabled ?? null) === (seen.trigger?.enabled ?? null);
  if (isBack) return [];
  const keeps = seen.function?.shared ?? false;
  const drops = seen.function?.isTrigger && !keeps && !before?.function;
  return [
    {
      name: 'trigger',
      phase: 'tidy',
      text: `Drops the trigger${drops ? ' and its function' : ''}${keeps ? '; its function stays, as another table has a trigger with it' : ''}${back.length > 0 ? ', and puts back what was there before' : ''}; readers and writers wait for moments.`,
      how: 'transaction',
      statements: [
        ...(seen.trigger ? [dropTrigger(table)] : []),
        ...(drops ? [dropFunction(table)] : []),
        ...back,
      ],
    },
  ].filter(({statements}) => statements.length > 0) as Task[];
};

export const cancelFirst: RuleKeeper<Rule> = {
  unavailable(rule, {table, lower}) {
    try {
      functionBody(rule, table, lower);
      return null;
    } catch (error) {
      if (error instanceof SesstuiError) return error.message;
      throw error;
    }
  },

  async state(rule, place, run) {
    const seen = await seeCancelFirst(rule, place, run);
    const cannot = inTheWay(place.table, seen) ?? (await refusedValue(rule, place, run));
    if (cannot) return {state: 'unavailable', why: cannot};
    const remark = remarks(rule, seen);
    if (!seen.function && !seen.trigger) return {state: 'missing', why: remark};
    const differs = [triggerDiffers(seen), functionDiffers(rule, place, seen)].filter(Boolean);
    return differs.length > 0
      ? {state: 'drifted', why: why(...differs, remark)}
      : {state: 'installed', why: remark};
  },

  /** A function of this guard with other thresholds is the guard, and not what was there before it. */
  async capture(rule, place, run): Promise<Json> {
    const seen = await seeCancelFirst(rule, place, run);
    const own = seen.function?.body.includes(mark) ?? false;
    if ((!seen.function && !seen.trigger) || own) return null;
    return {
      function: seen.function?.definition ?? null,
      trigger: seen.trigger?.definition ?? null,
      enabled: seen.trigger?.enabled ?? null,
    };
  },

  async tasks(rule, place, direction, run, before) {
    const seen = await seeCancelFirst(rule, place, run);
    if (direction === 'uninstall') return uninstallTasks(place, seen, before as Before | null);
    const cannot = inTheWay(place.table, seen) ?? (await refusedValue(rule, place, run));
    if (cannot) throw new SesstuiError('unsupported', cannot);
    return installTasks(rule, place, seen);
  },

  script(rule, place, direction) {
    const {table, assumed} = tableForScript(rule, place);
    const note = assumed === null ? [] : [`-- ${assumed}`];
    return direction === 'install'
      ? [...note, createFunction(rule, table, place.lower), dropTrigger(table), createTrigger(table)]
      : [...note, dropTrigger(table), dropFunction(table)];
  },

  prove: proveCancelFirst,
};
