/**
 * Partners that `still` asks about and that can be named by key: they are held as they were judged by the very
 * transaction that writes. Those that can't be named (an index, a scan) are only judged by reading.
 */
import type {TransactWriteItem} from '@aws-sdk/client-dynamodb';
import type {Change} from '../../source/connector.js';
import {exprValue} from '../../source/evaluate.js';
import {attributesOf, attributesOfPred, type Expr, type Pred, partnersOf} from '../../source/forms.js';
import {isAbsent, toText, type ValueMap} from '../../source/values.js';
import {chooseAccess} from './access.js';
import {fromItem, type Item, versionOf} from './attributes.js';
import {bindings} from './bindings.js';
import {type Operation, topLevel} from './operations.js';
import {getInOrder} from './pages.js';
import type {Store} from './store.js';
import type {TableInfo} from './tables.js';
import {unchanged} from './unchanged.js';

/** A row that may be a partner, as it is (undefined: not there), and the attributes that say whether it is one. */
export type Partner = {info: TableInfo; key: Item; item: Item | undefined; attributes: string[]};

/** More of them than that would leave no room for what is to be written. */
const most = 10;

/** The keys that the partners of a row can have. */
const keysOf = (values: ValueMap, info: TableInfo, on: [Expr, Expr][]): Item[] => {
  const where: Pred = {
    all: on.flatMap(([here, there]): Pred[] => {
      const value = exprValue(here, values);
      return 'attr' in there && info.key.includes(there.attr) && !isAbsent(value) && typeof value !== 'object'
        ? [{in: [toText(value)], of: there}]
        : [];
    }),
  };
  const access = chooseAccess(where, info);
  return access.by === 'keys' ? access.keys : [];
};

/** Read before the conditions are judged: a partner that comes in between is then not what is checked for. */
export const partnersByKey = async (
  store: Store,
  judged: {change: Change; values: ValueMap}[],
): Promise<Partner[]> => {
  const wanted = new Map<string, Omit<Partner, 'item'>>();
  for (const {change, values} of judged)
    for (const {table, on, where} of change.still ? partnersOf(change.still) : []) {
      const info = await store.tables.known(table);
      const attributes = topLevel([
        ...on.flatMap(([, there]) => attributesOf(there)),
        ...(where ? attributesOfPred(where) : []),
      ]);
      for (const key of keysOf(values, info, on)) {
        const name = JSON.stringify([table, versionOf(key)]);
        const known = wanted.get(name)?.attributes ?? [];
        wanted.set(name, {info, key, attributes: [...new Set([...known, ...attributes])]});
      }
    }
  if (wanted.size > most) return [];
  return Promise.all(
    [...wanted.values()].map(async partner => {
      const [item] = await getInOrder(store.client, partner.info, [partner.key]);
      return {...partner, item};
    }),
  );
};

const conditionOf = ({info, key, item, attributes}: Partner): TransactWriteItem => {
  const bound = bindings();
  const judged = attributes.filter(name => !info.key.includes(name));
  const there = Object.fromEntries(
    judged.filter(name => item && Object.hasOwn(item, name)).map(name => [name, item![name]!]),
  );
  const absent = judged.filter(name => !Object.hasOwn(there, name));
  const ConditionExpression = item
    ? unchanged(there, info.key, bound, judged, absent)
    : `attribute_not_exists(${bound.name(info.key[0]!)})`;
  return {
    ConditionCheck: {TableName: info.table, Key: fromItem(key), ConditionExpression, ...bound.request()},
  };
};

/** The checks that go along with a batch; a row that the batch writes to has a condition of its own. */
export const partnerChecks = (partners: Partner[], batch: Operation[]): TransactWriteItem[] =>
  partners
    .filter(
      ({info, key}) =>
        !batch.some(
          operation => operation.info.table === info.table && versionOf(operation.key) === versionOf(key),
        ),
    )
    .map(conditionOf);
