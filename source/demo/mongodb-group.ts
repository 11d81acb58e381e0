import {failed} from './mongodb-errors.js';
import {evaluate, type Variables} from './mongodb-expressions.js';
import {compare, keyOf} from './mongodb-order.js';
import {type Doc, isDocument, isNumeric, toNumber, typeName} from './mongodb-values.js';

type Accumulator = {add(value: unknown): void; result(): unknown};

/** `$group`, with keys that are equal as BSON compares them and values that keep their types. */
export const group = (docs: Doc[], spec: Doc, variables: Variables): Doc[] => {
  const {_id: key, ...fields} = spec;
  if (key === undefined) throw failed('BadValue', 'a group specification must include an _id');
  const plan = Object.entries(fields).map(([name, accumulator]) => ({name, ...operation(name, accumulator)}));
  const groups = new Map<string, {_id: unknown; states: Accumulator[]}>();
  for (const doc of docs) {
    const _id = evaluate(doc, key, variables) ?? null;
    const text = keyOf(_id);
    let entry = groups.get(text);
    if (!entry) {
      entry = {_id, states: plan.map(({make}) => make())};
      groups.set(text, entry);
    }
    for (const [i, {operand}] of plan.entries()) entry.states[i]!.add(evaluate(doc, operand, variables));
  }
  return [...groups.values()].map(({_id, states}) => ({
    _id,
    ...Object.fromEntries(plan.map(({name}, i) => [name, states[i]!.result()])),
  }));
};

const operation = (field: string, accumulator: unknown): {make: () => Accumulator; operand: unknown} => {
  const [name, operand] = isDocument(accumulator) ? (Object.entries(accumulator)[0] ?? []) : [];
  const make = name === undefined ? undefined : ACCUMULATORS[name];
  if (!make) throw failed('BadValue', `the accumulator of '${field}' is not supported: ${String(name)}`);
  return {make, operand: name === '$count' ? 1 : operand};
};

const numbers = (value: unknown): number => (isNumeric(value) ? toNumber(value) : 0);

/** Keeps the value for which `better` holds against the one before; nulls and missing values don't count. */
const best = (better: (order: number) => boolean) => (): Accumulator => {
  let kept: unknown;
  return {
    add: value => {
      if (value === undefined || value === null) return;
      if (kept === undefined || better(compare(value, kept))) kept = value;
    },
    result: () => kept ?? null,
  };
};

const sum = (): Accumulator => {
  let total = 0;
  return {
    add: value => {
      total += numbers(value);
    },
    result: () => total,
  };
};

const ACCUMULATORS: Record<string, () => Accumulator> = {
  $sum: sum,
  $count: sum,
  $avg: () => {
    let total = 0;
    let count = 0;
    return {
      add: value => {
        if (!isNumeric(value)) return;
        total += toNumber(value);
        count++;
      },
      result: () => (count === 0 ? null : total / count),
    };
  },
  $min: best(order => order < 0),
  $max: best(order => order > 0),
  $first: () => {
    const seen: unknown[] = [];
    return {
      add: value => {
        if (seen.length === 0) seen.push(value ?? null);
      },
      result: () => seen[0] ?? null,
    };
  },
  $last: () => {
    let last: unknown = null;
    return {
      add: value => {
        last = value ?? null;
      },
      result: () => last,
    };
  },
  $push: () => {
    const values: unknown[] = [];
    return {
      add: value => {
        if (typeName(value) !== 'missing') values.push(value);
      },
      result: () => values,
    };
  },
  $addToSet: () => {
    const values = new Map<string, unknown>();
    return {
      add: value => {
        if (value !== undefined && !values.has(keyOf(value))) values.set(keyOf(value), value);
      },
      result: () => [...values.values()],
    };
  },
};
