/** Conditions that must still hold when a change is made: judged by reading, just before the write. */
import type {Change} from '../../source/connector.js';
import {type Environment, holds, joinKey, exprValue as valueOfExpr} from '../../source/evaluate.js';
import {attributesOf, attributesOfPred, type Expr, type Pred, partnersOf} from '../../source/forms.js';
import {isAbsent, Time, toText, type Value, type ValueMap} from '../../source/values.js';
import {candidates} from './candidates.js';
import type {Store} from './store.js';

type Partner = ReturnType<typeof partnersOf>[number];

const isScalar = (value: Value): boolean =>
  !isAbsent(value) && !Array.isArray(value) && (typeof value !== 'object' || value instanceof Time);

/** Rows of the partner's table that can be partners of these rows: narrowed to their values where it can be said. */
const narrowed = ({on, where}: Partner, rows: ValueMap[]): Pred => ({
  all: [
    where ?? {all: []},
    ...on.flatMap(([here, there]): Pred[] => {
      const values = rows.map(row => valueOfExpr(here, row)).filter(value => !isAbsent(value));
      const sayable = ('attr' in there || 'first' in there) && values.every(isScalar);
      return sayable ? [{in: values.map(toText), of: there}] : [];
    }),
  ],
});

const partnerKeys = async (
  store: Store,
  partner: Partner,
  rows: ValueMap[],
  env: Environment,
): Promise<Set<string>> => {
  const there: Expr[] = partner.on.map(([, expr]) => expr);
  const attributes = [
    ...there.flatMap(attributesOf),
    ...(partner.where ? attributesOfPred(partner.where) : []),
  ];
  const keys = new Set<string>();
  for (const {values} of await candidates(store, partner.table, narrowed(partner, rows), attributes)) {
    if (partner.where && !holds(partner.where, values, env)) continue;
    const key = joinKey(there, values);
    if (key !== null) keys.add(key);
  }
  return keys;
};

/**
 * What `still` is judged in: the partners that these changes ask about, read now. DynamoDB can't make a write
 * conditional on rows that are not named by key, so a partner that comes between this and the write is not seen.
 */
export const stillEnvironment = async (
  store: Store,
  changes: {change: Change; values: ValueMap}[],
  now: number,
): Promise<Environment> => {
  const keys = new Map<string, Set<string>>();
  const env: Environment = {
    now,
    hasPartner: (partner, values) => {
      const key = joinKey(
        partner.on.map(([here]) => here),
        values,
      );
      return key !== null && (keys.get(JSON.stringify(partner))?.has(key) ?? false);
    },
  };
  const asked = new Map<string, {partner: Partner; rows: ValueMap[]}>();
  for (const {change, values} of changes)
    for (const partner of change.still ? partnersOf(change.still) : []) {
      const name = JSON.stringify(partner);
      const entry = asked.get(name) ?? {partner, rows: []};
      entry.rows.push(values);
      asked.set(name, entry);
    }
  for (const [name, {partner, rows}] of asked) keys.set(name, await partnerKeys(store, partner, rows, env));
  return env;
};
