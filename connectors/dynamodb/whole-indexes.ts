/**
 * Which indexes hold every row that has their key. DynamoDB leaves rows out, without a word, whose value is not of the
 * key's type, is empty or too long, if they were there before the index; once it is there, it refuses such rows. So
 * one look at all rows is enough for an index.
 */
import type {Item} from './attributes.js';
import {indexNameOf} from './guards/definition.js';
import {kindOf} from './key-kinds.js';
import type {Store} from './store.js';
import type {TableIndex, TableInfo} from './tables.js';

/** By table, then by `markOf`: whether the index is whole. */
type Known = Map<string, Map<string, boolean>>;

const knownBy = new WeakMap<Store, Known>();

/** An index that was made again, of another type or on another table of this name, is another one. */
const markOf = ({id, types}: TableInfo, {name, attributes}: TableIndex): string =>
  JSON.stringify([id, name, attributes, attributes.map(attribute => types[attribute])]);

/** What is known of the table's indexes that there are; one that has gone may come back with less in it. */
const knownOf = (store: Store, info: TableInfo): Map<string, boolean> => {
  const known: Known = knownBy.get(store) ?? new Map();
  knownBy.set(store, known);
  const there = new Set(info.indexes.filter(({usable}) => usable).map(index => markOf(info, index)));
  const left = new Map([...(known.get(info.table) ?? [])].filter(([mark]) => there.has(mark)));
  known.set(info.table, left);
  return left;
};

/** The guard's own, by its name and kind of projection: its install and its script look at every row before they build it. */
const isOfGuard = ({name, attributes, projected}: TableIndex): boolean =>
  projected !== null && name === indexNameOf({columns: attributes});

/** null where no look has told it yet. */
export const isWhole = (store: Store, info: TableInfo, index: TableIndex): boolean | null =>
  knownOf(store, info).get(markOf(info, index)) ?? (isOfGuard(index) ? true : null);

/** Notes what a look at every row of the table has told, that began when the index was usable already. */
export const noteWhole = (store: Store, info: TableInfo, index: TableIndex, whole: boolean): void => {
  knownOf(store, info).set(markOf(info, index), whole);
};

/** The index leaves this row out, and the row has its key. */
export const isLeftOut = (item: Item, {types}: TableInfo, {attributes}: TableIndex): boolean => {
  const kinds = attributes.map((name, place) =>
    kindOf(Object.hasOwn(item, name) ? item[name] : undefined, place),
  );
  return (
    kinds.every(kind => kind !== null) && kinds.some((kind, place) => kind !== types[attributes[place]!])
  );
};

/** The table without the indexes that are known to leave rows out: what they answer is not all. */
export const withWholeIndexes = (store: Store, info: TableInfo): TableInfo => ({
  ...info,
  indexes: info.indexes.filter(index => isWhole(store, info, index) !== false),
});
