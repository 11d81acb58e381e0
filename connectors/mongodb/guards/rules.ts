/** The two rules by name, over one shape: what is seen, and what is to be done. */
import type {GuardDirection, GuardRule, GuardSeen} from '../../../source/guards.js';
import type {Json} from '../../../source/values.js';
import type {Access} from '../client.js';
import {codeOf} from '../errors.js';
import {demandOf, demands, mendable, merged, violating} from './schema.js';
import {type Seen, signalOf} from './seen.js';
import type {Task} from './task.js';
import {uniqueCapture, uniqueInstall, uniqueState, uniqueUninstall} from './unique-id.js';
import {
  type Counts,
  needsCounts,
  validCapture,
  validInstall,
  validState,
  validUninstall,
} from './valid-id.js';

export type MongoRule = Extract<GuardRule, {rule: 'unique-id' | 'valid-id'}>;

export const isMongoRule = (rule: GuardRule): rule is MongoRule =>
  rule.rule === 'unique-id' || rule.rule === 'valid-id';

const reasons: Record<Exclude<GuardRule['rule'], MongoRule['rule']>, string> = {
  sorted: 'MongoDB has no triggers that would sort an array before it is stored',
  unique: 'in MongoDB there is a guard for the ids of documents only (check null-ids)',
  one: 'in MongoDB there is a guard for the ids of documents only (check null-ids)',
  undeletable: 'MongoDB has no triggers, and no rights on single documents, that would refuse a delete',
  'own-rows': 'MongoDB has no row-level security',
  'cancel-first': 'MongoDB has no triggers that would change other documents before an insert',
  index: 'in MongoDB there is a guard for the ids of documents only (check null-ids)',
  'write-path': 'MongoDB has unique indexes, so that no write path is needed',
};

/** See `GuardKeeper.refuses`. */
export const refusal = (rule: GuardRule): string | null => (isMongoRule(rule) ? null : reasons[rule.rule]);

const count = async (access: Access, table: string, filter: object, limit: object): Promise<number> => {
  const pipeline = [{$match: filter}, {$count: 'n'}];
  const question = {aggregate: table, pipeline, cursor: {}, ...limit};
  // Without a limit of the server's there is none of the socket's either.
  const {cursor} = await access.db.command(question, {
    ...signalOf(access),
    ...('maxTimeMS' in limit ? {} : {socketTimeoutMS: 0}),
  } as object);
  return Number(cursor.firstBatch[0]?.n ?? 0);
};

const tooLong = 50;

/** `patient`: however long it takes; otherwise within the connector's time limit, and null when that is over. */
export const countsOf = async (
  access: Access,
  seen: Seen,
  rule: MongoRule,
  patient: boolean,
): Promise<Counts> => {
  if (rule.rule !== 'valid-id' || !needsCounts(seen, rule)) return null;
  const {table, id} = rule;
  const {validator} = seen.validation;
  const whole = demands(validator, id) ? validator! : merged(validator, id);
  const limit = patient ? {} : access.limit;
  try {
    const all = await count(access, table, violating(whole), limit);
    if (all === 0) return {violating: 0, demanded: 0, mendable: 0};
    const demanded = violating(demandOf(id));
    return {
      violating: all,
      demanded: await count(access, table, demanded, limit),
      mendable: await count(access, table, {$and: [demanded, mendable(id)]}, limit),
    };
  } catch (error) {
    if (codeOf(error) === tooLong) return null;
    throw error;
  }
};

export const stateOf = (rule: MongoRule, seen: Seen, counts: Counts): GuardSeen =>
  rule.rule === 'unique-id' ? uniqueState(seen, rule) : validState(seen, rule, counts);

export const captureOf = (rule: MongoRule, seen: Seen): Json =>
  rule.rule === 'unique-id' ? uniqueCapture(seen, rule) : validCapture(seen, rule);

export const tasksOf = (
  rule: MongoRule,
  direction: GuardDirection,
  seen: Seen,
  counts: Counts,
  before: Json,
): Task[] => {
  if (rule.rule === 'unique-id')
    return direction === 'install' ? uniqueInstall(seen, rule) : uniqueUninstall(seen, rule, before);
  return direction === 'install' ? validInstall(seen, rule, counts) : validUninstall(seen, rule, before);
};
