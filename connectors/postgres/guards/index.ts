/** The guards of this store: finds the table at hand and hands over to the file of the rule. */
import {SesstuiError} from '../../../source/errors.js';
import type {GuardDirection, GuardKeeper, GuardRule, GuardSeen, GuardStep} from '../../../source/guards.js';
import type {Table} from '../catalogue.js';
import type {Run} from '../session.js';
import {type Hold, holdTables} from './hold.js';
import {usualLimits} from './limits.js';
import {refuseOthers} from './owner.js';
import {type Performer, performTask} from './perform.js';
import {findPlace, type GuardAccess, placeOrThrow} from './place.js';
import type {Place, Task} from './rule.js';
import {keeperOf, refusal} from './rules.js';
import {proveRules} from './scratch.js';
import {writeScript} from './script.js';

const unavailable = (why: string): GuardSeen => ({state: 'unavailable', why});

export const guardKeeper = (access: GuardAccess): GuardKeeper => {
  const {session, known, store, readOnly} = access;
  const refuseWrites = (): void => {
    if (readOnly)
      throw new SesstuiError(
        'read-only',
        `${store} is read-only.`,
        'Nothing is written while readOnly or --read-only is set.',
      );
  };
  const tasksOf = async (
    rule: GuardRule,
    direction: GuardDirection,
    before: Parameters<ReturnType<typeof keeperOf>['tasks']>[4],
    run: Run,
  ): Promise<{place: Place; tasks: Task[]}> => {
    const place = await placeOrThrow(rule, known, run);
    const tasks = await keeperOf(rule).tasks(rule, place, direction, run, before);
    if (tasks.length > 0) await refuseOthers(place, direction, run);
    return {place, tasks};
  };
  let held: Hold | null = null;
  const performer: Performer = {
    session,
    limits: access.limits ?? usualLimits,
    isAlone: async () => (await session.read(run => known.server(run))).standIn !== null,
    held: () => held,
  };
  const tablesOf = async (rules: GuardRule[], run: Run): Promise<Table[]> => {
    const tables = new Map<string, Table>();
    for (const rule of rules) {
      const place = await findPlace(rule, known, run);
      if (typeof place !== 'string') tables.set(place.table.sql, place.table);
    }
    return [...tables.values()];
  };
  return {
    refuses: refusal,
    state: (rule, signal) =>
      session.read(async run => {
        const place = await findPlace(rule, known, run);
        return typeof place === 'string' ? unavailable(place) : keeperOf(rule).state(rule, place, run);
      }, signal),
    capture: (rule, signal) =>
      session.read(async run => {
        const place = await placeOrThrow(rule, known, run);
        return keeperOf(rule).capture(rule, place, run);
      }, signal),
    steps: (rule, direction, {before, signal}) =>
      session.read(async run => {
        const {tasks} = await tasksOf(rule, direction, before, run);
        return tasks.map(({name, phase, text, statements}): GuardStep => ({name, phase, text, statements}));
      }, signal),
    async perform(rule, direction, step, options) {
      refuseWrites();
      const derive = async (run: Run) => {
        const {place, tasks} = await tasksOf(rule, direction, options.before, run);
        return {place, task: tasks.find(({name}) => name === step.name)};
      };
      return performTask(derive, options, performer);
    },
    async hold(rules, signal) {
      refuseWrites();
      const nothing = {release: async () => undefined};
      // Of one backend nothing is held: its connections share its locks.
      if (await performer.isAlone()) return nothing;
      const tables = await session.read(run => tablesOf(rules, run), signal);
      if (tables.length === 0) return nothing;
      const own = await holdTables(tables, {...performer, store: access.store}, signal);
      held = own;
      return {
        async release() {
          held = null;
          await own.release();
        },
      };
    },
    script: (rules, direction, options) => writeScript(rules, direction, options, access),
    async *prove(rules, signal) {
      refuseWrites();
      yield* proveRules(rules, access, signal);
    },
  };
};
