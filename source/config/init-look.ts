/** Looks at what tables a store has, for `sesstui init`: names and shapes, and the attribute names of a few rows. */
import type {Connector} from '../connector.js';
import {everything} from '../forms.js';
import type {ValueMap} from '../values.js';

export type TableFacts = {
  table: string;
  /** Columns, or the attributes that were seen in a few rows. */
  columns: string[];
  arrays: string[];
  key: string[];
  samples: ValueMap[];
};

const mostTables = 300;
const mostSampledTables = 20;
const sampleRows = 25;
const interesting = /session|conversation|chat|account|login|device/i;
const ofTheServer = /^(?:system\.|pg_|information_schema\.)/;

/** Facts about the tables of a store, the first 300; rows are looked at only where there is no schema. */
export const lookAtTables = async (connector: Connector, signal: AbortSignal): Promise<TableFacts[]> => {
  const tables = (await connector.tables(signal))
    .filter(table => !ofTheServer.test(table))
    .slice(0, mostTables);
  const now = await connector.now(signal);
  const facts: TableFacts[] = [];
  let sampled = 0;
  for (const table of tables) {
    const shape = await connector.describe(table, signal);
    if (!shape) continue;
    const fact: TableFacts = {table, columns: [], arrays: [], key: shape.key, samples: []};
    if (shape.columns) {
      fact.columns = shape.columns.map(({name}) => name);
      fact.arrays = shape.columns.filter(({type}) => /\[\]|^_|array/i.test(type)).map(({name}) => name);
    } else if (interesting.test(table) && sampled++ < mostSampledTables) {
      fact.samples = await samplesOf(connector, table, now, signal);
      fact.columns = [...new Set([...shape.key, ...fact.samples.flatMap(Object.keys)])];
    }
    facts.push(fact);
  }
  return facts;
};

const samplesOf = async (
  connector: Connector,
  table: string,
  now: number,
  signal: AbortSignal,
): Promise<ValueMap[]> => {
  const rows: ValueMap[] = [];
  const form = {form: 'rows', from: table, where: everything, show: [], tags: {}} as const;
  for await (const found of connector.read({...form, show: []}, {now, signal, full: true})) {
    rows.push(...found.rows.map(row => row.values));
    if (rows.length >= sampleRows) break;
  }
  return rows.slice(0, sampleRows);
};
