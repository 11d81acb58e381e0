/** The guards of this store, by rule: an index, and the write path that stands in for a unique constraint. */
import {SesstuiError} from '../../../source/errors.js';
import type {GuardKeeper, GuardRule, NamedRule, Proof} from '../../../source/guards.js';
import type {Store} from '../store.js';
import type {IndexRule, WritePathRule} from './definition.js';
import {indexKeeper, refusesIndex} from './index-state.js';
import {type Patience, performIndex} from './perform-index.js';
import {proveIndex} from './prove-index.js';
import {proveWritePath} from './prove-write-path.js';
import {scriptOf} from './script.js';
import {writePathWords} from './write-path.js';

const reasons: Partial<Record<GuardRule['rule'], string>> = {
  unique: 'DynamoDB has no unique constraint beside the primary key',
  one: 'DynamoDB has no unique constraint beside the primary key',
  'unique-id': 'DynamoDB has no unique constraint beside the primary key',
  sorted: 'DynamoDB has no triggers that could sort what is written',
  undeletable: 'DynamoDB has no triggers that could refuse a delete',
  'cancel-first': 'DynamoDB has no triggers that could cancel a row before another is written',
  'valid-id': 'DynamoDB checks no attributes but those of keys',
  'own-rows': "DynamoDB has no row-level security; IAM's policies do something like it",
};

const refuses = (rule: GuardRule): string | null =>
  rule.rule === 'index' ? refusesIndex(rule) : (reasons[rule.rule] ?? null);

const requireWritable = ({settings}: Store): void => {
  if (!settings.readOnly) return;
  throw new SesstuiError('read-only', `The store ${settings.store} is read-only.`, 'Nothing was written.');
};

const no = (rule: GuardRule): SesstuiError =>
  new SesstuiError(
    'unsupported',
    `${rule.table}: ${rule.rule === 'write-path' ? writePathWords(rule) : refuses(rule)}.`,
    'Nothing was changed.',
  );

async function* proofsOf(store: Store, rules: NamedRule[], signal?: AbortSignal): AsyncIterable<Proof> {
  requireWritable(store);
  for (const {guard, rule} of rules) {
    if (rule.rule === 'index' && !refuses(rule))
      for await (const proof of proveIndex(store, rule, signal)) yield {guard, ...proof};
    else if (rule.rule === 'write-path')
      for await (const proof of proveWritePath(store, rule, signal)) yield {guard, ...proof};
    else throw no(rule);
  }
}

/** `wait`: how long an install or uninstall waits for others, and for its own index. */
export const guardKeeper = (store: Store, wait?: Patience): GuardKeeper => {
  const indexes = indexKeeper(store);
  return {
    refuses,
    state: async (rule, signal) => {
      if (rule.rule === 'index') return indexes.state(rule, signal);
      const why = rule.rule === 'write-path' ? writePathWords(rule) : refuses(rule);
      return {state: 'unavailable', why};
    },
    // An index that is not the guard's own is never replaced, so that there is nothing to put back.
    capture: async () => null,
    steps: async (rule, direction, {signal}) => {
      if (rule.rule === 'index') return indexes.steps(rule, direction, signal);
      if (direction === 'uninstall') return [];
      throw no(rule);
    },
    perform: async (rule, direction, step, options) => {
      requireWritable(store);
      if (rule.rule !== 'index') throw no(rule);
      await performIndex(store, rule, direction, step.name, options, wait);
      return 'done';
    },
    script: (rules, direction, {signal}) => scriptOf(store, rules, direction, signal),
    prove: (rules, signal) => proofsOf(store, rules, signal),
  };
};

export type {IndexRule, WritePathRule};
