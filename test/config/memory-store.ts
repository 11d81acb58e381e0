/** A store in memory that answers what `sesstui init` asks, by the reference evaluator. */
import type {Column, Connector} from '../../source/connector.js';
import {environmentFor, evaluate, type RawRow} from '../../source/evaluate.js';
import {toJson, type ValueMap} from '../../source/values.js';

export type MemoryTable = {
  /** `name type` for each column; without them the store has no schema. */
  columns?: string[];
  key?: string[];
  rows?: ValueMap[];
};

const columnsOf = (texts: string[]): Column[] =>
  texts.map(text => {
    const [name = '', ...type] = text.split(' ');
    return {name, type: type.join(' ') || 'text', nullable: true};
  });

const rowsOf = (table: string, {key = ['id'], rows = []}: MemoryTable): RawRow[] =>
  rows.map(values => ({
    table,
    identity: {by: 'key', at: Object.fromEntries(key.map(name => [name, toJson(values[name])]))},
    values,
  }));

const now = Date.UTC(2026, 10, 21) * 1000;

/** The part of a connector that reads; `closed` tells whether it was closed. */
export const memoryStore = (tables: Record<string, MemoryTable>) => {
  const state = {closed: false};
  const connector: Pick<Connector, 'tables' | 'describe' | 'now' | 'read' | 'close'> = {
    tables: async () => Object.keys(tables),
    now: async () => now,
    describe: async table => {
      const found = tables[table];
      if (!found) return null;
      const columns = found.columns ? columnsOf(found.columns) : null;
      return {
        table,
        columns,
        key: found.key ?? ['id'],
        estimatedRows: null,
        indexes: [],
        cascades: [],
        hidden: null,
      };
    },
    async *read(form) {
      const env = await environmentFor(form, table => rowsOf(table, tables[table]!), now);
      yield* evaluate(form, rowsOf(form.from, tables[form.from]!), env);
    },
    close: async () => {
      state.closed = true;
    },
  };
  return {connector: connector as Connector, state};
};
