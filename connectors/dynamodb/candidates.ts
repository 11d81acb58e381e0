/** The rows that a predicate may hold for, compact: only the attributes asked for, as neutral values. */
import type {Image} from '../../source/connector.js';
import type {RawRow} from '../../source/evaluate.js';
import {attributesOf, attributesOfPred, type Form, type Pred, partnersOfForm} from '../../source/forms.js';
import {type Access, chooseAccess} from './access.js';
import {type Item, imageOf, neutralItem, versionOf} from './attributes.js';
import {isLoopback} from './client.js';
import {compile} from './compile.js';
import {getItems, queryKeys, scan} from './pages.js';
import type {Store} from './store.js';
import {identityOf, type TableInfo} from './tables.js';
import {withWholeIndexes} from './whole-indexes.js';

/** A row with some of its attributes. */
export const compactRow = (item: Item, info: TableInfo): RawRow => ({
  table: info.table,
  identity: identityOf(item, info.key),
  values: neutralItem(item),
});

/** A whole row: with the image that is backed up, and its version. */
export const fullRow = (item: Item, info: TableInfo): RawRow & {image: Image; version: string} => ({
  ...compactRow(item, info),
  image: imageOf(item),
  version: versionOf(item),
});

/** The keys of the rows that `access` leads to; not for scans. */
export const keysBy = async (
  store: Store,
  info: TableInfo,
  access: Exclude<Access, {by: 'scan'}>,
  signal?: AbortSignal,
): Promise<Item[]> => {
  if (access.by === 'nothing') return [];
  return access.by === 'keys' ? access.keys : queryKeys(store.client, info, access, signal);
};

/**
 * Rows among which are all that satisfy `where`; the evaluator has to judge them. Decided from consistent reads
 * of the table: an index only says where to look.
 */
export const candidates = async (
  store: Store,
  table: string,
  where: Pred,
  attributes: string[],
  signal?: AbortSignal,
): Promise<RawRow[]> => {
  const info = await store.tables.known(table, signal);
  const wanted = [...new Set([...info.key, ...attributes])];
  const rows: RawRow[] = [];
  const take = (items: Item[]) => {
    for (const item of items) rows.push(compactRow(item, info));
  };
  const compiled = compile(where, wanted);
  if (compiled.empty) return [];
  const access = chooseAccess(where, withWholeIndexes(store, info));
  // A server on this machine has no capacity to spare for anyone.
  const paced = !isLoopback(store.settings.endpoint);
  if (access.by === 'scan') await scan(store.client, info, compiled, {paced, signal}, take);
  else await getItems(store.client, info, await keysBy(store, info, access, signal), wanted, take, signal);
  return rows;
};

/** The rows of a partner table that any of a form's partners may be, for the evaluator's environment. */
export const partnerSource = (store: Store, form: Form, signal?: AbortSignal) =>
  async function* (table: string): AsyncIterable<RawRow> {
    const partners = partnersOfForm(form).filter(partner => partner.table === table);
    const where: Pred = {any: partners.map(partner => partner.where ?? {all: []})};
    const attributes = partners.flatMap(({on, where: condition}) => [
      ...on.flatMap(([, there]) => attributesOf(there)),
      ...(condition ? attributesOfPred(condition) : []),
    ]);
    yield* await candidates(store, table, where, attributes, signal);
  };
