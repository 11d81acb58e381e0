/** Rows in; findings and changes out: a check without a store, by the reference evaluator. */
import {randomBytes} from 'node:crypto';
import type {PlanContext, Task} from '../../source/checks/check.js';
import {checkOf} from '../../source/checks/index.js';
import {type CheckConfig, checkSchema} from '../../source/config/schema.js';
import {
  canonicalJson,
  type Found,
  type Identity,
  type Row,
  type TableShape,
  type Unit,
} from '../../source/connector.js';
import {Checker} from '../../source/engine/checker.js';
import {isChosen, reasonsTaken} from '../../source/engine/selecting.js';
import {environmentFor, evaluate, type RawRow} from '../../source/evaluate.js';
import type {Form, Pred} from '../../source/forms.js';
import type {Finding, Selection} from '../../source/types.js';
import {toJson, type ValueMap} from '../../source/values.js';

export type Tables = Record<string, {key: string[]; rows: ValueMap[]}>;

/** 2026-11-21T01:42:00Z in microseconds. */
export const now = Date.UTC(2026, 10, 21, 1, 42) * 1000;
export const ago = (minutes: number): string => new Date(now / 1000 - minutes * 60_000).toISOString();

const rawRows = (tables: Tables, table: string): RawRow[] => {
  const {key, rows} = tables[table]!;
  return rows.map((values, index) => {
    const identity: Identity =
      key.length > 0
        ? {by: 'key', at: Object.fromEntries(key.map(name => [name, toJson(values[name])]))}
        : {by: 'place', at: {ctid: `(0,${index + 1})`}};
    return {table, identity, values, image: toJson(values), version: canonicalJson(toJson(values))};
  });
};

const read = async (tables: Tables, form: Form): Promise<Found[]> => {
  const env = await environmentFor(form, table => rawRows(tables, table), now);
  return evaluate(form, rawRows(tables, form.from), env);
};

/** A check on these tables: what it finds, and what an action would change. */
export const tester = (input: object, tables: Tables) => {
  const config = checkSchema.parse(input) as CheckConfig;
  const check = checkOf(config.check);
  const store = {name: 'store', config: {kind: 'postgres'}} as unknown as ConstructorParameters<
    typeof Checker
  >[0];
  const checker = new Checker(store, config, null);
  const shapes: Record<string, TableShape> = Object.fromEntries(
    Object.entries(tables).map(([table, {key}]) => [
      table,
      {table, columns: null, key, estimatedRows: null, indexes: [], cascades: [], hidden: null},
    ]),
  );

  const all = async () => {
    const items = [];
    for (const part of check.parts(config, shapes))
      for (const found of await read(tables, part.form))
        items.push({part, found, ...checker.finding(part, found, now)});
    return items;
  };

  const findings = async (): Promise<Finding[]> => (await all()).map(({finding}) => finding);

  const plan = async (
    action: string,
    selection: Selection = {},
  ): Promise<{units: Unit[]; notes: string[]}> => {
    const notes: string[] = [];
    const context: PlanContext<CheckConfig> = {
      config,
      shapes,
      now,
      note: text => notes.push(text),
      idBytes: () => randomBytes(16),
      tally: (what, count) => notes.push(`${count} ${what}`),
      lookup: async (table, attribute, values, show, where): Promise<Row[]> => {
        const wanted: Pred = {in: values, of: {attr: attribute}};
        const rows = await read(tables, {
          form: 'rows',
          from: table,
          where: where ? {all: [wanted, where]} : wanted,
          show,
          tags: {},
        });
        return rows.map(({rows: [row]}) => row!);
      },
    };
    const tasks: Task[] = [];
    for (const {part, found, judged, finding} of await all()) {
      const reasons = reasonsTaken(check, action, selection, finding, finding.actions);
      if (reasons.length > 0 && isChosen(selection, part, judged, finding))
        tasks.push({part, found, judged, reasons, keeper: selection.keepers?.[finding.id] ?? null});
    }
    const units: Unit[] = [];
    for await (const unit of check.plan(action, tasks, context)) units.push(unit);
    return {units, notes};
  };

  /** The changes in short: `delete sessions a`, `update accounts acc-1 {"session":"sess_1"}`. */
  const changes = async (action: string, selection?: Selection): Promise<string[]> =>
    (await plan(action, selection)).units.flatMap(unit =>
      unit.changes.map(change => {
        const set =
          'set' in change && change.set
            ? ` ${JSON.stringify(Object.fromEntries(Object.entries(change.set).map(([name, value]) => [name, 'value' in value ? toJson(value.value) : Object.keys(value)[0]!])))}`
            : '';
        return `${change.op} ${change.table} ${Object.values(change.identity.at).join(' ')}${set}${change.skip ? ` skipped: ${change.skip}` : ''}`;
      }),
    );

  return {findings, plan, changes};
};

/** Findings in short: `group: reason, reason`. */
export const short = (findings: Finding[]): string[] =>
  findings
    .map(
      ({group, reasons}) =>
        `${typeof group === 'string' ? group : JSON.stringify(group)}: ${reasons.join(', ')}`,
    )
    .sort();
