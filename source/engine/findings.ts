/** Findings as people get them: ids, reasons in order, secrets masked. */

import type {Check, Judged, Part} from '../checks/check.js';
import {canonicalJson, type Row} from '../connector.js';
import type {Expr} from '../forms.js';
import {isSecretColumn, masked, maskValues} from '../secrets.js';
import type {Finding, FindingRow, Severity} from '../types.js';
import {canonical, type Json, toJson, toText, type Value} from '../values.js';
import {sha256} from './disk/state-files.js';

const severities: Severity[] = ['critical', 'warning', 'info'];

/** The most severe reason first; equal severities in the check's own order. */
export const orderReasons = (check: Check, names: string[]): string[] => {
  const place = (name: string): number => {
    const index = check.reasons.findIndex(reason => reason.name === name);
    return severities.indexOf(check.reasons[index]?.severity ?? 'info') * 1000 + index;
  };
  return [...names].sort((a, b) => place(a) - place(b));
};

export const severityOf = (check: Check, reason: string | undefined): Severity =>
  check.reasons.find(({name}) => name === reason)?.severity ?? 'info';

/** A row's key for people: plain JSON by attribute. */
export const keyOf = (row: Pick<Row, 'identity' | 'values'>): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(row.identity.at)
      .filter(([name]) => row.identity.by === 'key' || name === 'ctid')
      .map(([name, at]) => [name, name in row.values ? toJson(row.values[name]) : plain(at)]),
  );

/** The store's lossless JSON of a key part as people write it. */
const plain = (at: Json): Json => {
  if (at === null || typeof at !== 'object' || Array.isArray(at)) return at;
  const [only] = Object.values(at);
  return Object.keys(at).length === 1 && (typeof only === 'string' || typeof only === 'number') ? only : at;
};

/** What `--id` is compared with: the key's value, or all of its values as JSON where it has several. */
export const keyText = (key: Record<string, Json>): string => {
  const parts = Object.values(key);
  return parts.length === 1
    ? typeof parts[0] === 'string'
      ? parts[0]
      : JSON.stringify(parts[0])
    : JSON.stringify(parts);
};

export const shownValues = (values: Row['values'], secrets: string[]): Record<string, Json> =>
  shownMap(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toJson(value)])), secrets);

/** Secrets masked, and what is too long to be read by people cut; backups and files have it whole. */
export const shownMap = (values: Record<string, Json>, secrets: string[]): Record<string, Json> =>
  cutLong(maskValues(values, secrets)) as Record<string, Json>;

const mostCharacters = 1000;
const mostItems = 1000;

/** A part of a string keeps the whole in memory; a copy of the part doesn't. */
const copied = (text: string): string => JSON.parse(JSON.stringify(text)) as string;

const cutLong = (value: Json): Json => {
  if (typeof value === 'string')
    return value.length > mostCharacters
      ? `${copied(value.slice(0, mostCharacters))}… (${value.length} characters)`
      : value;
  if (Array.isArray(value))
    return value.length > mostItems
      ? [...value.slice(0, mostItems).map(cutLong), `… (${value.length} items)`]
      : value.map(cutLong);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, cutLong(item)]));
};

/** The column that a part of a group is a value of. */
const columnOf = (expr: Expr | undefined): string | undefined => {
  if (expr && 'attr' in expr) return expr.attr;
  if (expr && 'norm' in expr) return expr.norm;
  return expr && 'set' in expr ? expr.set : undefined;
};

/** A finding's group for people; what is a value of a secret column is masked. */
export const groupJson = (group: Value[], of: Expr[], secrets: string[]): Json => {
  const values = group.map((value, index): Json => {
    const column = columnOf(of[index]);
    const json = toJson(value);
    return column !== undefined && json !== null && isSecretColumn(column, secrets) ? masked : cutLong(json);
  });
  return values.length === 1 ? values[0]! : values;
};

/** What `--group` is compared with. */
export const groupTexts = (group: Value[]): string[] =>
  group.length === 1
    ? [toText(group[0]), JSON.stringify(toJson(group[0]))]
    : [JSON.stringify(group.map(toJson))];

const findingId = (check: string, part: Part, judged: Judged): string => {
  const first = judged.rows[0]!.row;
  const what =
    part.form.form === 'groups' ? judged.group.map(canonical).join(' ') : canonicalJson(first.identity.at);
  return sha256(`${check} ${part.name} ${what}`).slice(0, 16);
};

export const toFinding = (
  checkId: string,
  check: Check,
  part: Part,
  judged: Judged,
  context: {now: number; secrets: string[]; actions: string[]},
): Finding => {
  const reasons = orderReasons(check, judged.reasons);
  return {
    id: findingId(checkId, part, judged),
    reasons,
    severity: severityOf(check, reasons[0]),
    group: groupJson(judged.group, part.group, context.secrets),
    ageSeconds: judged.since === null ? null : Math.max(0, Math.floor((context.now - judged.since) / 1e6)),
    rows: judged.rows.map(({row, verdict, why}): FindingRow => {
      const key = shownMap(keyOf(row), context.secrets);
      return {
        table: row.table,
        identity: row.identity,
        key,
        values: shownValues(row.values, context.secrets),
        verdict,
        why,
      };
    }),
    actions: context.actions,
    byHand: judged.byHand ?? false,
  };
};
