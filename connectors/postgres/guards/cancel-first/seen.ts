/** What the catalogue says of a `cancel-first` guard, and how it differs from what the rule wants. */
import type {Table} from '../../catalogue.js';
import {expression} from '../../expressions.js';
import type {Run} from '../../session.js';
import {Binder} from '../../sql.js';
import type {Place, RuleOf} from '../rule.js';
import {plainSource} from '../sql/same-sql.js';
import {isSwitchedOn} from '../sql/trigger-switch.js';
import {functionBody, functionSettings, mark, nameOf} from './sql.js';

type Rule = RuleOf<'cancel-first'>;

export type SeenFunction = {
  /** CREATE OR REPLACE FUNCTION that makes it again. */
  definition: string;
  /** It can be a trigger's; another can't be replaced by one that is. */
  isTrigger: boolean;
  body: string;
  settings: string[];
  /** Language, volatility and rights are as they should be. */
  usual: boolean;
  /** Triggers of other tables call it too. */
  shared: boolean;
};
type SeenTrigger = {definition: string; usual: boolean; enabled: string};
export type Seen = {
  function: SeenFunction | null;
  trigger: SeenTrigger | null;
  /** An index of the whole table begins with the customer. */
  indexed: boolean;
  /** Update triggers whose functions run with the search path of who calls them. */
  updateTriggers: string[];
};

const statement = `select json_build_object(
  'function', (select json_build_object('definition', pg_catalog.pg_get_functiondef(p.oid), 'body', p.prosrc,
      'isTrigger', p.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype, 'settings', coalesce(p.proconfig, '{}'),
      'usual', l.lanname = 'plpgsql' and p.provolatile = 'v' and not p.prosecdef,
      'shared', exists (select from pg_catalog.pg_trigger o where o.tgfoid = p.oid and o.tgparentid = 0
        and not (o.tgrelid = $1::oid and o.tgname = $3)))
    from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = $2 and p.proname = $3 and p.pronargs = 0 and p.prokind = 'f'),
  'trigger', (select json_build_object('definition', pg_catalog.pg_get_triggerdef(g.oid), 'enabled', g.tgenabled,
      'usual', g.tgtype = 7 and g.tgqual is null and g.tgnargs = 0 and p.proname = $3 and n.nspname = $2)
    from pg_catalog.pg_trigger g join pg_catalog.pg_proc p on p.oid = g.tgfoid
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where g.tgrelid = $1::oid and g.tgname = $3),
  'indexed', exists (select from pg_catalog.pg_index i
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = $1::oid and i.indisvalid and i.indpred is null and a.attname = $4),
  'updateTriggers', (select coalesce(json_agg(g.tgname order by g.tgname), '[]') from pg_catalog.pg_trigger g
    join pg_catalog.pg_proc p on p.oid = g.tgfoid join pg_catalog.pg_language l on l.oid = p.prolang
    where g.tgrelid = $1::oid and not g.tgisinternal and g.tgtype & 16 = 16 and g.tgenabled <> 'D'
      and l.lanname not in ('internal', 'c')
      and not exists (select from unnest(p.proconfig) c where c like 'search\\_path=%')))::text`;

/** The column that an index would have to be on; null where customers are not compared as the column stands. */
const customerColumn = ({customer}: Rule, {table, lower}: Place): string | null => {
  const typed = expression({attr: customer}, table, 't', {binder: new Binder(), now: 0, lower});
  const isNative = typed.column !== undefined && !typed.column.type.loose && typed.kind !== 'other';
  return isNative ? customer : null;
};

export const seeCancelFirst = async (rule: Rule, place: Place, run: Run): Promise<Seen> => {
  const {table} = place;
  const values = [table.oid, table.schema, nameOf(table), customerColumn(rule, place)];
  const [row] = await run({text: statement, values});
  return JSON.parse(row![0]!) as Seen;
};

/** `interval '900000 milliseconds'`, or the same as microseconds where moments are compared as numbers. */
const thresholdOf = (body: string): number | null => {
  const interval = /interval '(\d+) milliseconds'/.exec(body);
  if (interval) return Number(interval[1]) / 1000;
  const micros = /\* 1000000\)::float8 - '([\d.e+]+)'::float8/.exec(body);
  return micros ? Number(micros[1]) / 1e6 : null;
};

const bodyDiffers = (seen: string, wanted: string): string => {
  const [is, should] = [thresholdOf(seen), thresholdOf(wanted)];
  if (seen.includes(mark) && is !== null && should !== null && is !== should)
    return `it cancels what has waited for ${is} s, the configuration says ${should} s`;
  return seen.includes(mark)
    ? "its function has other statuses, columns or values than the configuration's"
    : 'its function does something else';
};

/** What the function that is there has otherwise than the rule wants; null when nothing. */
export const functionDiffers = (rule: Rule, {table, lower}: Place, {function: seen}: Seen): string | null => {
  if (!seen) return 'its function is not there';
  const body = functionBody(rule, table, lower);
  if (plainSource(seen.body) !== plainSource(body)) return bodyDiffers(seen.body, body);
  const settings = Object.entries(functionSettings(body)).map(([name, value]) => `${name}=${value}`);
  if (settings.toSorted().join('\n') !== seen.settings.toSorted().join('\n'))
    return `its function runs with ${seen.settings.join(', ') || 'no settings'} instead of ${settings.join(', ')}`;
  return seen.usual ? null : 'its function is of another language, or has other rights';
};

/** The same of the trigger. */
export const triggerDiffers = ({trigger}: Seen): string | null => {
  if (!trigger) return 'its trigger is not there';
  if (!trigger.usual)
    return 'its trigger is another one (not BEFORE INSERT for each row, or another function)';
  return isSwitchedOn(trigger.enabled) ? null : 'its trigger is disabled';
};

/** Whether what is there can be replaced; why not. */
export const inTheWay = (table: Table, {function: seen}: Seen): string | null =>
  seen && !seen.isTrigger
    ? `there is a function "${nameOf(table)}" in "${table.schema}" that is no trigger's`
    : null;

/** What an operator should know of this table besides; null for nothing. */
export const remarks = (rule: Rule, {indexed, updateTriggers}: Seen): string | null => {
  const texts = [
    ...(indexed
      ? []
      : [`no index begins with ${rule.customer}: each insert reads the whole table until there is one`]),
    ...(updateTriggers.length > 0
      ? [
          `the update triggers ${updateTriggers.join(', ')} run with search_path = pg_catalog, pg_temp when a session is cancelled by it`,
        ]
      : []),
  ];
  return texts.length > 0 ? texts.join('; ') : null;
};
