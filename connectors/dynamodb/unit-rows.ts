/** The rows that a unit is about, read consistently: those it changes, the one that stays, and their group. */
import {type Change, canonicalJson, type Identity, type Unit} from '../../source/connector.js';
import {holds, type RawRow} from '../../source/evaluate.js';
import {attributesOfPred, type Pred} from '../../source/forms.js';
import {chooseAccess} from './access.js';
import {type Item, neutralItem} from './attributes.js';
import {candidates, fullRow, keysBy} from './candidates.js';
import {insertedItem} from './operations.js';
import {getInOrder} from './pages.js';
import type {Store} from './store.js';
import {identityOf, keyOf, keyOfIdentity, type TableInfo} from './tables.js';
import {withWholeIndexes} from './whole-indexes.js';

export type UnitRows = {
  tables: Map<string, TableInfo>;
  /** The row of each change: the change's own identity, except for an insert, whose key is in its row. */
  identities: Identity[];
  /** The item of a row; undefined where it is gone. */
  item(table: string, identity: Identity): Item | undefined;
  /** The rows of the group that there are, as far as they are known; empty without a group. */
  members: ReturnType<typeof fullRow>[];
};

/** Other rows of a group, by key. Found for each call of `apply`, and only where that is cheap. */
export type GroupFinder = (table: string, where: Pred) => Promise<Item[]>;

/** A table up to this size (as the service estimates it) is read whole to find the other rows of groups. */
const cheapBytes = 256 * 1024;
const cheapItems = 1000;

/**
 * By an index on the group's key it is asked for each group. Without one a small table is read once for all units
 * of the call; of a large one only the rows that the plan names are known. They only add to what is decided from:
 * what keeps a group from being emptied is the check of its keeper in the transaction.
 */
export const groupFinder = (store: Store, units: Unit[]): GroupFinder => {
  const scans = new Map<string, Promise<RawRow[]>>();
  const attributesOn = (table: string): string[] =>
    units.flatMap(({group}) => (group?.table === table ? attributesOfPred(group.where) : []));
  return async (table, where) => {
    const info = await store.tables.known(table);
    const access = chooseAccess(where, withWholeIndexes(store, info));
    if (access.by !== 'scan') return keysBy(store, info, access);
    if ((info.sizeBytes ?? Infinity) > cheapBytes || (info.itemCount ?? Infinity) > cheapItems) return [];
    const scan = scans.get(table) ?? candidates(store, table, {all: []}, attributesOn(table));
    scans.set(table, scan);
    const env = {now: 0, hasPartner: () => false};
    return (await scan).filter(row => holds(where, row.values, env)).map(row => keyOfIdentity(row.identity));
  };
};

const nameOf = (key: Item): string => canonicalJson(key as unknown as Identity['at']);

/** An insert's key is what its row holds; a row without a key is refused when its write is made. */
const identityOfChange = (change: Change, info: TableInfo): Identity => {
  if (change.op !== 'insert') return change.identity;
  try {
    const item = insertedItem(change, 0);
    return info.key.every(name => Object.hasOwn(item, name)) ? identityOf(item, info.key) : change.identity;
  } catch {
    return change.identity;
  }
};

const isKey = (key: Item, info: TableInfo): boolean => info.key.every(name => Object.hasOwn(key, name));

/** Reads a unit's rows anew. */
export const readUnit = async (store: Store, unit: Unit, find: GroupFinder): Promise<UnitRows> => {
  const wanted = new Map<string, Item[]>();
  const want = (table: string, keys: Item[]) => wanted.set(table, [...(wanted.get(table) ?? []), ...keys]);
  const {group} = unit;
  const tables = new Map<string, TableInfo>();
  for (const table of new Set([...unit.changes.map(change => change.table), ...(group ? [group.table] : [])]))
    tables.set(table, await store.tables.known(table));
  const identities = unit.changes.map(change => identityOfChange(change, tables.get(change.table)!));
  unit.changes.forEach(({table}, i) => {
    want(table, [keyOfIdentity(identities[i]!)]);
  });
  if (group) want(group.table, await find(group.table, group.where));
  if (group?.keeper) want(group.table, [keyOfIdentity(group.keeper)]);
  const items = new Map<string, Map<string, Item>>();
  for (const [table, keys] of wanted) {
    const info = tables.get(table)!;
    const asked = keys.filter(key => isKey(key, info));
    const found = (await getInOrder(store.client, info, asked)).filter(item => item !== undefined);
    items.set(table, new Map(found.map(item => [nameOf(keyOf(item, info.key)), item])));
  }
  const env = {now: 0, hasPartner: () => false};
  const inGroup = group
    ? [...items.get(group.table)!.values()].filter(item => holds(group.where, neutralItem(item), env))
    : [];
  return {
    tables,
    identities,
    item: (table, identity) => items.get(table)?.get(nameOf(keyOfIdentity(identity))),
    members: inGroup.map(item => fullRow(item, tables.get(group!.table)!)),
  };
};
