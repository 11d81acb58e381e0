/** How to get at the rows that a predicate may hold for: by key, by an index, or by reading the whole table. Pure. */
import type {InItem, Pred} from '../../source/forms.js';
import type {Attribute, Item} from './attributes.js';
import type {TableInfo} from './tables.js';
import {scalarsOf, spellings} from './weaken.js';

export type Access =
  | {by: 'nothing'}
  /** The rows with these keys. */
  | {by: 'keys'; keys: Item[]}
  /** All rows with these values of the table's or an index's hash key. */
  | {by: 'query'; index: string | null; hash: string; values: Attribute[]}
  | {by: 'scan'};

/** Beyond these a scan is no dearer. */
const mostKeys = 2000;
const mostQueries = 200;
/** No key is longer than this (bytes), and asking for one is an error. */
const longestKey = 2048;

const conjuncts = (pred: Pred): Pred[] => ('all' in pred ? pred.all.flatMap(conjuncts) : [pred]);

type Wanted = {attribute: string; items: InItem[]};

const wantedIn = (where: Pred): Wanted[] =>
  conjuncts(where).flatMap(pred =>
    'in' in pred && 'attr' in pred.of ? [{attribute: pred.of.attr, items: pred.in}] : [],
  );

/** The values that a key attribute may have, of the key's own type; what can't be a key is left out. */
const keyValues = (items: InItem[], type: 'S' | 'N' | 'B' | undefined): Attribute[] => {
  const values = scalarsOf(items)
    .flatMap(spellings)
    .filter(value => {
      if (type === undefined || !(type in value)) return false;
      const text = Object.values(value)[0] as string;
      return text !== '' && Buffer.byteLength(text) <= longestKey;
    });
  return [...new Map(values.map(value => [JSON.stringify(value), value])).values()];
};

/**
 * The cheapest access for `where`. A question about an index leaves out rows whose attribute is not of the
 * index's key type: DynamoDB refuses to write such rows.
 */
export const chooseAccess = (where: Pred, info: TableInfo): Access => {
  const wanted = wantedIn(where);
  if (wanted.some(({items}) => items.length === 0)) return {by: 'nothing'};
  const [hash, range] = info.key;
  for (const {attribute, items} of wanted.filter(w => w.attribute === hash)) {
    const values = keyValues(items, info.types[attribute]);
    if (values.length === 0) return {by: 'nothing'};
    if (range === undefined && values.length <= mostKeys)
      return {by: 'keys', keys: values.map(value => ({[hash!]: value}))};
    if (range !== undefined && values.length <= mostQueries)
      return {by: 'query', index: null, hash: attribute, values};
  }
  for (const {attribute, items} of wanted) {
    const index = info.indexes.find(i => i.global && i.usable && i.hash === attribute);
    if (!index) continue;
    const values = keyValues(items, info.types[attribute]);
    if (values.length === 0) return {by: 'nothing'};
    if (values.length <= mostQueries) return {by: 'query', index: index.name, hash: attribute, values};
  }
  return {by: 'scan'};
};
