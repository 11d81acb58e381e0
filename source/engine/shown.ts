/** Changes as people read them: what the row was, what it becomes, the statement in words. */
import type {Change, Connector, NewValue, Outcome} from '../connector.js';
import {valueAt} from '../evaluate.js';
import type {ShownChange} from '../types.js';
import {isMap, type Json, toJson, type Value, type ValueMap} from '../values.js';
import type {RunOutcome} from './disk/run-files.js';
import {keyOf, shownMap} from './findings.js';

/** A map with a dotted name set inside it; the parts on the way are copied. */
export const setPath = (values: ValueMap, path: string, value: Value): ValueMap => {
  const dot = path.indexOf('.');
  if (dot < 0 || Object.hasOwn(values, path)) {
    const {[path]: _, ...rest} = values;
    return value === undefined ? rest : {...rest, [path]: value};
  }
  const head = path.slice(0, dot);
  const inner = values[head];
  return {...values, [head]: setPath(isMap(inner) ? inner : {}, path.slice(dot + 1), value)};
};

const newValue = (value: NewValue): Value =>
  'value' in value ? value.value : 'now' in value ? 'now' : undefined;

const withSet = (values: ValueMap, set: Record<string, NewValue> = {}): ValueMap =>
  Object.entries(set).reduce((all, [name, value]) => setPath(all, name, newValue(value)), values);

const json = (values: ValueMap, names: string[], secrets: string[]): Record<string, Json> =>
  shownMap(Object.fromEntries(names.map(name => [name, toJson(valueAt(values, name))])), secrets);

/** The attributes that differ, at the top level. */
const different = (a: ValueMap, b: ValueMap): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    name => JSON.stringify(toJson(a[name])) !== JSON.stringify(toJson(b[name])),
  );

/** What a change does to its row, told by attribute. An update tells only what changes. */
export const showChange = (
  change: Change,
  connector: Pick<Connector, 'valuesOf'>,
  secrets: string[],
  keys: Record<string, string[]>,
): ShownChange => {
  const result = {
    table: change.table,
    result: change.skip ? ('skipped' as const) : ('planned' as const),
    ...(change.skip ? {why: change.skip} : {}),
  };
  if (change.op === 'insert') {
    const values =
      'row' in change
        ? connector.valuesOf(change.table, change.row)
        : withSet(connector.valuesOf(change.table, change.from), change.set);
    const names = keys[change.table] ?? [];
    const key =
      names.length > 0
        ? Object.fromEntries(names.map(name => [name, toJson(values[name])]))
        : keyOf({identity: change.identity, values});
    return {
      op: 'insert',
      ...result,
      key: shownMap(key, secrets),
      before: null,
      after: json(values, Object.keys(values), secrets),
    };
  }
  const before = connector.valuesOf(change.table, change.image);
  const key = shownMap(keyOf({identity: change.identity, values: before}), secrets);
  if (change.op === 'delete')
    return {op: 'delete', ...result, key, before: json(before, Object.keys(before), secrets), after: null};
  const after =
    'to' in change
      ? withSet(connector.valuesOf(change.table, change.to), change.set)
      : withSet(before, change.set);
  const names =
    'to' in change
      ? different(before, after)
      : [...new Set(Object.keys(change.set).map(name => name.split('.')[0]!))];
  return {
    op: 'update',
    ...result,
    key,
    before: json(before, names, secrets),
    after: json(after, names, secrets),
  };
};

/** A planned change with what became of it. */
export const withOutcome = (shown: ShownChange, outcome: Outcome, secrets: string[]): ShownChange => {
  const told: ShownChange = {...shown, result: outcome.result};
  delete told.why;
  if (outcome.result === 'skipped') told.why = outcome.why;
  if (outcome.result === 'failed' || outcome.result === 'unknown') told.error = outcome.error;
  if (outcome.result === 'applied' && outcome.after && shown.after) {
    const {values} = outcome.after;
    told.after = json(values, Object.keys(shown.after), secrets);
  }
  return told;
};

/** A change with an outcome that a journal tells or that was found out. */
export const withKnown = (shown: ShownChange, {result, why, error}: RunOutcome): ShownChange => {
  const {why: _, error: _error, ...rest} = shown;
  return {...rest, result, ...(why === undefined ? {} : {why}), ...(error === undefined ? {} : {error})};
};

/** One line for each kind of change in a plan, in SQL's words, with how many there are. */
export const statementsOf = (changes: ShownChange[]): string[] => {
  const kinds = new Map<string, number>();
  for (const change of changes) {
    const key = Object.keys(change.key).join(', ');
    const unchanged = 'and the row is still what this plan saw';
    const text =
      change.op === 'delete'
        ? `delete from ${change.table} where ${key} = … ${unchanged}`
        : change.op === 'insert'
          ? `insert into ${change.table} where no row has this ${key}`
          : `update ${change.table} set ${Object.keys(change.after ?? {}).join(', ')} where ${key} = … ${unchanged}`;
    kinds.set(text, (kinds.get(text) ?? 0) + 1);
  }
  return [...kinds].map(([text, count]) => `${count} × ${text}`);
};
