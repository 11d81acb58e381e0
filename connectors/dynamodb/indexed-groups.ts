/** Groups found by an index that has all that is asked about them: smaller rows, at half the price of a consistent read. */

import type {Found} from '../../source/connector.js';
import {type Environment, evaluate, joinKey, type RawRow} from '../../source/evaluate.js';
import {attributesOfForm, type Groups} from '../../source/forms.js';
import {canonical} from '../../source/values.js';
import {chooseAccess} from './access.js';
import {compactRow} from './candidates.js';
import {isLoopback} from './client.js';
import {type Compiled, compile} from './compile.js';
import {getItems, scan} from './pages.js';
import type {Store} from './store.js';
import {keyOfIdentity, type TableIndex, type TableInfo} from './tables.js';
import {pathsOf} from './weaken.js';
import {isLeftOut, isWhole, noteWhole} from './whole-indexes.js';

/** What a read unit pays for, of one consistent read. */
const bytesPerUnit = 4096;

/** The attributes of an item, whole, that a name may lead into. */
export const wholesOf = (name: string): string[] => pathsOf(name).map(([first]) => first!);

/**
 * An index on what the form groups by, with every attribute that the form reads. Rows that lack one of its key
 * attributes are not in it: they are in no group either. Rows whose key is of another type are: see `isWhole`.
 */
export const coveringIndex = (form: Groups, info: TableInfo): TableIndex | undefined => {
  const grouped = form.key.flatMap(expr => ('attr' in expr && !expr.attr.includes('.') ? [expr.attr] : []));
  const read = attributesOfForm(form).flatMap(wholesOf);
  return info.indexes.find(
    ({global, usable, attributes, projected}) =>
      global &&
      usable &&
      attributes.every(name => grouped.includes(name)) &&
      (projected === null || read.every(name => projected.includes(name))),
  );
};

/** Reading these rows one by one costs more than reading the whole table. */
const isDearer = (rows: number, {itemCount, sizeBytes}: TableInfo): boolean => {
  if (!itemCount || !sizeBytes) return false;
  const each = Math.ceil(sizeBytes / itemCount / bytesPerUnit);
  return rows * each > Math.ceil(sizeBytes / bytesPerUnit);
};

const isPaced = ({settings}: Store): boolean => !isLoopback(settings.endpoint);

const nameOf = (values: Found['key']): string => values!.map(canonical).join(' ');

/** The same groups from consistent reads of the table: an index may be behind. */
const confirmed = async (
  store: Store,
  form: Groups,
  found: Found[],
  env: Environment,
  signal?: AbortSignal,
): Promise<Found[]> => {
  const info = await store.tables.known(form.from, signal);
  const names = new Set(found.map(({key}) => nameOf(key)));
  const keys = found.flatMap(({rows}) => rows.map(row => keyOfIdentity(row.identity)));
  const wanted = [...new Set([...info.key, ...attributesOfForm(form)])];
  const rows: RawRow[] = [];
  await getItems(
    store.client,
    info,
    keys,
    wanted,
    items => {
      for (const item of items) rows.push(compactRow(item, info));
    },
    signal,
  );
  // A row that has gone over to a group whose other rows were not read again would be judged without them.
  const known = rows.filter(row => names.has(joinKey(form.key, row.values) ?? ''));
  return evaluate(form, known, env);
};

/** Every row of the table, which is what the groups cost without an index; and whether the index has all of them. */
const everyRow = async (
  store: Store,
  info: TableInfo,
  index: TableIndex,
  compiled: Compiled,
  signal?: AbortSignal,
): Promise<RawRow[]> => {
  const rows: RawRow[] = [];
  let whole = true;
  await scan(store.client, info, compiled, {paced: isPaced(store), signal}, items => {
    for (const item of items) rows.push(compactRow(item, info));
    whole &&= !items.some(item => isLeftOut(item, info, index));
  });
  noteWhole(store, info, index, whole);
  return rows;
};

/**
 * The groups of a form that reads the whole table otherwise; null where no index has what it asks, or the table is
 * read for less (`whateverItCosts`: not asked). The first question about an index reads the table all the same, and
 * tells whether the index leaves rows out; one that does is not asked. Looked for in the index, decided from consistent
 * reads of the rows that were found: a row that was written a moment ago may be seen by the next look only.
 */
export const groupsByIndex = async (
  store: Store,
  form: Groups,
  env: Environment,
  {signal, whateverItCosts = false}: {signal?: AbortSignal; whateverItCosts?: boolean} = {},
): Promise<Found[] | null> => {
  const info = await store.tables.known(form.from, signal);
  const index = coveringIndex(form, info);
  if (!index || chooseAccess(form.where, info).by !== 'scan') return null;
  const compiled = compile(form.where, [...new Set([...info.key, ...attributesOfForm(form)])]);
  if (compiled.empty) return [];
  if (!whateverItCosts && !isWhole(store, info, index))
    return compiled.filter ? null : evaluate(form, await everyRow(store, info, index, compiled, signal), env);
  const rows: RawRow[] = [];
  await scan(store.client, info, compiled, {paced: isPaced(store), index: index.name, signal}, items => {
    for (const item of items) rows.push(compactRow(item, info));
  });
  const found = evaluate(form, rows, env);
  const count = found.reduce((sum, group) => sum + group.rows.length, 0);
  if (!whateverItCosts && isDearer(count, info)) return null;
  return confirmed(store, form, found, env, signal);
};
