/** Background and protected sessions are not deleted. */
import {SesstuiError} from '../../../../source/errors.js';
import type {DeviceColumns, GuardSeen} from '../../../../source/guards.js';
import type {Json} from '../../../../source/values.js';
import {columnOf} from '../../catalogue.js';
import type {Run} from '../../session.js';
import {besidesOf, migrationName} from '../device-sessions/migration-007.js';
import {dropFunction, safeConfig, spotOf} from '../device-sessions/spot.js';
import type {Place, RuleKeeper, RuleOf, Task} from '../rule.js';
import {plainSource} from '../sql/same-sql.js';
import {isSwitchedOn, switchTrigger} from '../sql/trigger-switch.js';
import {proveUndeletable} from './proofs.js';
import {createFunction, createTrigger, down, dropTrigger, functionBody, suffix, up} from './sql.js';

type Rule = RuleOf<'undeletable'>;

type Found = {
  function: {
    oid: string;
    source: string;
    config: string[] | null;
    language: string;
    definer: boolean;
    isTrigger: boolean;
    definition: string;
    /** The triggers besides this guard's that call it. */
    users: string[];
  } | null;
  trigger: {
    type: number;
    enabled: string;
    function: string;
    plain: boolean;
    definition: string;
  } | null;
};

/** BEFORE, FOR EACH ROW, DELETE in pg_trigger.tgtype. */
const beforeRowDelete = 2 + 1 + 8;

const look = async ({table}: Place, name: string, run: Run): Promise<Found> => {
  const text = `select json_build_object(
    'function', (select json_build_object('oid', p.oid::text, 'source', p.prosrc, 'config', p.proconfig,
        'language', l.lanname, 'definer', p.prosecdef, 'isTrigger', p.prorettype = 'pg_catalog.trigger'::regtype,
        'definition', pg_catalog.pg_get_functiondef(p.oid),
        'users', (select coalesce(json_agg(u.tgname || ' on ' || u.tgrelid::regclass::text order by 1), '[]')
          from pg_catalog.pg_trigger u where u.tgfoid = p.oid and u.tgparentid = 0
            and (u.tgname <> $2::text or u.tgrelid <> $3::text::oid)))
      from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      join pg_catalog.pg_language l on l.oid = p.prolang
      where n.nspname = $1::text and p.proname = $2::text and p.pronargs = 0 and p.prokind = 'f'),
    'trigger', (select json_build_object('type', g.tgtype, 'enabled', g.tgenabled, 'function', g.tgfoid::text,
        'plain', g.tgqual is null and g.tgnargs = 0, 'definition', pg_catalog.pg_get_triggerdef(g.oid))
      from pg_catalog.pg_trigger g
      where g.tgrelid = $3::text::oid and g.tgname = $2::text and not g.tgisinternal))::text`;
  const [row] = await run({text, values: [table.schema, name, table.oid]});
  return JSON.parse(row![0]!) as Found;
};

const seen = (columns: DeviceColumns, place: Place, found: Found): GuardSeen => {
  const name = spotOf(place).name(suffix);
  const {function: own, trigger} = found;
  if (own && !own.isTrigger) return {state: 'unavailable', why: `another function is called ${name}`};
  if (!trigger)
    return {state: 'missing', why: own ? `its function ${name} is there, its trigger is not` : null};
  const differs: string[] = [];
  if (!isSwitchedOn(trigger.enabled)) differs.push(`the trigger ${name} is switched off`);
  if (trigger.type !== beforeRowDelete || !trigger.plain)
    differs.push(`the trigger ${name} does not fire before each row's delete`);
  if (trigger.function !== own?.oid) differs.push(`the trigger ${name} calls another function`);
  else if (
    plainSource(own.source) !== plainSource(functionBody(columns)) ||
    own.language !== 'plpgsql' ||
    own.definer ||
    own.config?.join() !== safeConfig
  )
    differs.push(`the function ${name} is defined otherwise`);
  return differs.length > 0 ? {state: 'drifted', why: differs.join('; ')} : {state: 'installed', why: null};
};

const install = ({columns}: Rule, place: Place, {trigger}: Found): Task[] => {
  const spot = spotOf(place);
  return [
    {
      name: 'trigger',
      phase: 'refuse',
      text: `creates the trigger that refuses to delete background and protected rows of ${place.table.name}`,
      statements: [
        ...(trigger ? [dropTrigger(spot)] : []),
        createFunction(columns, spot),
        createTrigger(spot),
      ],
      how: 'transaction',
    },
  ];
};

type Before = {function: string | null; trigger: string | null; enabled: string};

const uninstall = (place: Place, found: Found, before: Before | null): Task[] => {
  const spot = spotOf(place);
  const name = spot.name(suffix);
  const signature = `${spot.qualified(name)}()`;
  const {function: own, trigger} = found;
  const same =
    (before?.function ?? null) === (own?.definition ?? null) &&
    (before?.trigger ?? null) === (trigger?.definition ?? null) &&
    (!trigger || before?.enabled === trigger.enabled);
  const users = own?.users ?? [];
  const stays = users.length > 0 && !before?.function;
  if (same || (stays && !trigger)) return [];
  const why = stays ? `; its function stays, because ${users.join(', ')} uses it` : '';
  return [
    {
      name: 'trigger',
      phase: 'refuse',
      text: `takes away the trigger that refuses to delete background and protected rows of ${place.table.name}${why}`,
      statements: [
        ...(trigger ? [dropTrigger(spot)] : []),
        ...(own && !stays && !before?.function ? [dropFunction(signature)] : []),
        ...(before?.function ? [before.function.trim()] : []),
        ...(before?.trigger ? [before.trigger, ...switchTrigger(before.enabled, name, spot.sql)] : []),
      ],
      how: 'transaction',
    },
  ];
};

const nameOf = (place: Place): string => spotOf(place).name(suffix);

export const undeletable: RuleKeeper<Rule> = {
  unavailable({columns}, {table}) {
    const missing = [columns.id, columns.type, columns.protected].find(name => !columnOf(table, name));
    if (missing !== undefined)
      return `"${table.name}" has no column "${missing}"; migration ${migrationName} adds what is missing (guards script)`;
    const {family} = columnOf(table, columns.protected)!.type;
    return family === 'bool' ? null : `"${columns.protected}" of "${table.name}" is no boolean`;
  },
  state: async ({columns}, place, run) => seen(columns, place, await look(place, nameOf(place), run)),
  async capture({columns}, place, run): Promise<Json> {
    const found = await look(place, nameOf(place), run);
    if ((!found.function && !found.trigger) || seen(columns, place, found).state === 'installed') return null;
    return {
      function: found.function?.definition ?? null,
      trigger: found.trigger?.definition ?? null,
      enabled: found.trigger?.enabled ?? 'O',
    };
  },
  async tasks(rule, place, direction, run, before) {
    const found = await look(place, nameOf(place), run);
    const {state, why} = seen(rule.columns, place, found);
    if (state === 'unavailable') throw new SesstuiError('unsupported', why!);
    if (direction === 'uninstall') return uninstall(place, found, before as Before | null);
    return state === 'installed' ? [] : install(rule, place, found);
  },
  script: ({columns}, place, direction) =>
    direction === 'install' ? up(columns, spotOf(place)) : down(spotOf(place)),
  besides: ({columns}, place, direction) => besidesOf(columns, spotOf(place), direction),
  migration: () => migrationName,
  prove: proveUndeletable,
};
