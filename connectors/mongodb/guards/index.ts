/** The guards of MongoDB: a unique index on the id, and a validator that demands one. */
import {canonicalJson} from '../../../source/connector.js';
import {SesstuiError} from '../../../source/errors.js';
import type {GuardDirection, GuardKeeper, GuardRule} from '../../../source/guards.js';
import type {Json} from '../../../source/values.js';
import type {Access, MongoConnection, MongoSettings} from '../client.js';
import {mapError} from '../errors.js';
import {carryOut, type Watcher} from './perform.js';
import {proofs} from './prove.js';
import {requireRights} from './rights.js';
import {captureOf, countsOf, isMongoRule, type MongoRule, refusal, stateOf, tasksOf} from './rules.js';
import {scriptOf} from './script.js';
import {type Abilities, abilitiesOf, look, plainOf} from './seen.js';
import {stepOf, type Task} from './task.js';

const required = (rule: GuardRule): MongoRule => {
  if (isMongoRule(rule)) return rule;
  throw new SesstuiError('unsupported', `There is no such guard: ${refusal(rule)}.`);
};

/** How often a step begins anew because somebody else changed what it is about. */
const mostTimes = 5;

const isSame = (a: Task, b: Task | undefined): boolean =>
  b !== undefined && canonicalJson(plainOf(a) as Json) === canonicalJson(plainOf(b) as Json);

const requireAvailable = (why: string | null): void => {
  if (why !== null) throw new SesstuiError('unsupported', `The guard can not be had: ${why}.`);
};

export const guardKeeper = (settings: MongoSettings, connection: MongoConnection): GuardKeeper => {
  let asked: Promise<Abilities> | null = null;

  /** Servers don't learn while one is connected; one that could not be asked is asked again. */
  const abilities = (access: Access): Promise<Abilities> => {
    asked ??= abilitiesOf(access, settings.readOnly).catch(error => {
      asked = null;
      throw error;
    });
    return asked;
  };
  const sightOf = async (access: Access, {table}: MongoRule) => look(access, table, await abilities(access));

  const requireWritable = (): void => {
    if (settings.readOnly)
      throw new SesstuiError(
        'read-only',
        `The store ${settings.store} is opened read-only.`,
        'Nothing was changed.',
      );
  };

  const on = <T>(rule: MongoRule, work: (access: Access) => Promise<T>, signal?: AbortSignal): Promise<T> =>
    connection.use(`looking at the guards of ${rule.table}`, work, signal);

  const tasks = async (
    access: Access,
    rule: MongoRule,
    direction: GuardDirection,
    before: Parameters<typeof tasksOf>[4],
    patient: boolean,
  ) => {
    const seen = await sightOf(access, rule);
    const counts = direction === 'install' ? await countsOf(access, seen, rule, patient) : null;
    const {state, why} = stateOf(rule, seen, counts);
    if (state === 'unavailable' && direction === 'install') requireAvailable(why);
    return {seen, tasks: tasksOf(rule, direction, seen, counts, before)};
  };

  const perform: GuardKeeper['perform'] = async (given, direction, {name}, options) => {
    requireWritable();
    const rule = required(given);
    const {before, signal, ...rest} = options;
    const watcher: Watcher = {...rest, ...(signal && {signal})};
    return connection.use(
      `changing the guards of ${rule.table}`,
      async access => {
        const look = async () =>
          (await tasks(access, rule, direction, before, true)).tasks.find(found => found.name === name);
        let task = await look();
        let result: 'done' | 'again' = 'done';
        for (let time = 1; task; time++) {
          try {
            result = await carryOut(access, task, watcher);
            break;
          } catch (error) {
            // Another install may have done it, or a part of it, since the look: there is no lock to keep it away.
            const now = access.signal?.aborted || time === mostTimes ? task : await look();
            if (isSame(task, now)) throw error;
            task = now;
          }
        }
        // What is there already says that it is done.
        if (!task || result === 'again' || task.skipped) return result;
        const left = await look();
        if (left && !left.skipped)
          throw new SesstuiError(
            'unsupported',
            `The server said that it did it, and yet it is not so: ${task.text}`,
            'Somebody else may have changed the collection at the same moment: try again.',
          );
        return 'done';
      },
      signal,
    );
  };

  const steps: GuardKeeper['steps'] = async (given, direction, {before, signal}) => {
    const rule = required(given);
    return on(
      rule,
      async access => {
        const {seen, tasks: all} = await tasks(access, rule, direction, before, false);
        await requireRights(access, rule.table, all);
        return all.map(task => stepOf(seen.database, task));
      },
      signal,
    );
  };

  const state: GuardKeeper['state'] = async (given, signal) => {
    if (!isMongoRule(given)) return {state: 'unavailable', why: refusal(given)};
    return on(
      given,
      async access => {
        const seen = await sightOf(access, given);
        return stateOf(given, seen, await countsOf(access, seen, given, false));
      },
      signal,
    );
  };

  return {
    refuses: refusal,
    state,
    capture: async (given, signal) => {
      const rule = required(given);
      return on(rule, async access => captureOf(rule, await sightOf(access, rule)), signal);
    },
    steps,
    perform,
    script: async (rules, direction, {signal}) => {
      const ours = rules.map(({guard, rule}) => ({guard, rule: required(rule)}));
      const parts = [];
      for (const {guard, rule} of ours) {
        // A script is written for a server that can't be asked, too.
        const seen = await on(rule, access => sightOf(access, rule), signal).catch(() => null);
        signal?.throwIfAborted();
        parts.push({guard, rule, seen});
      }
      return scriptOf(settings.database, parts, direction);
    },
    async *prove(rules, signal) {
      requireWritable();
      const what = 'testing guards on a scratch collection';
      const access = await connection.use(what, async given => given, signal);
      const keeper = {state, steps, perform};
      try {
        for (const {guard, rule} of rules) yield* proofs(access, keeper, guard, required(rule));
      } catch (error) {
        throw mapError(error, what, signal);
      }
    },
  };
};
