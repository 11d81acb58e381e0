/** Tables for scripts: what could not be looked at is taken to be text. */
import {columnOf, type Table} from '../../catalogue.js';
import {type Column, textType} from '../../types.js';
import type {ScriptPlace} from '../rule.js';
import {qualified} from './names.js';

const column = (name: string): Column => ({
  name,
  type: textType,
  nullable: true,
  generated: false,
  identityAlways: false,
});

/** `schema.table` as the configuration names it; no schema is the one on the search path. */
const assumedTable = (name: string, columns: string[]): Table => {
  const dot = name.indexOf('.');
  const schema = dot < 0 ? '' : name.slice(0, dot);
  const relation = name.slice(dot + 1);
  return {
    name,
    oid: '0',
    sql: qualified(schema, relation),
    schema,
    relation,
    kind: 'r',
    columns: [...new Set(columns)].map(column),
    key: [],
    estimate: null,
    secured: false,
    deleteTrigger: false,
  };
};

/** The table at hand, or one with these columns; a column that is not there (yet) is taken to be text. */
export const scriptTable = ({table, name}: ScriptPlace, columns: string[]): Table => {
  if (!table) return assumedTable(name, columns);
  const absent = assumedTable(name, columns).columns.filter(own => !columnOf(table, own.name));
  return {...table, columns: [...table.columns, ...absent]};
};
