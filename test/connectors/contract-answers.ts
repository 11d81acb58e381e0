/** Answers made comparable: what order a store leaves open is taken out, all else stays. */
import {type Connector, canonicalJson, type Found, type Row} from '../../source/connector.js';
import type {RawRow} from '../../source/evaluate.js';
import {canonical, type Value} from '../../source/values.js';

export const idOf = (row: {identity: Row['identity']}): string => canonicalJson(row.identity.at);

/** Every row of a table, in full. */
export const allRows = async (connector: Connector, table: string, now: number): Promise<RawRow[]> => {
  const rows: RawRow[] = [];
  const form = {form: 'rows' as const, from: table, where: {all: []}, show: [], tags: {}};
  for await (const found of connector.read(form, {now, full: true})) rows.push(...found.rows);
  return rows;
};

export const collect = async (answer: AsyncIterable<Found>): Promise<Found[]> => {
  const found: Found[] = [];
  for await (const item of answer) found.push(item);
  return found;
};

/** The order inside a set's key is a store's own. */
const keyText = (value: Value): string =>
  Array.isArray(value) ? `[${value.map(canonical).sort().join(',')}]` : canonical(value);

const rowText = (row: Row) => ({id: idOf(row), tags: [...row.tags].sort()});

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** Findings as a set. */
export const comparable = (found: Found[]) =>
  found
    .map(({key, having, rows}) => ({
      key: key?.map(keyText) ?? null,
      having: [...having].sort(),
      rows: rows.map(rowText).sort(byText),
    }))
    .sort(byText);

export const comparableTally = (tally: {value: Value; count: number}[]) =>
  tally.map(({value, count}) => ({value: keyText(value), count})).sort(byText);
