/** A signed-in user deals with its own email's device sessions only. */
import type {GuardSeen} from '../../../source/guards.js';
import type {Json} from '../../../source/values.js';
import {columnOf} from '../catalogue.js';
import type {Run} from '../session.js';
import {ident} from '../sql.js';
import {plainSource, type Spot, safeConfig, spotOf} from './gym-spot.js';
import {proveOwnRows} from './own-rows-proofs.js';
import {claimBody, claimSuffix, down, policiesOf, up} from './own-rows-sql.js';
import type {Place, RuleKeeper, RuleOf, Task} from './rule.js';
import {sameSql} from './same-sql.js';

type Rule = RuleOf<'own-rows'>;

type FoundPolicy = {
  name: string;
  permissive: boolean;
  command: string;
  roles: string[];
  using: string | null;
  check: string | null;
};

type Found = {
  secured: boolean;
  claim: {source: string; config: string[] | null; sound: boolean; definition: string} | null;
  policies: FoundPolicy[];
};

const statement = `select json_build_object(
    'secured', c.relrowsecurity,
    'claim', (select json_build_object('source', p.prosrc, 'config', p.proconfig, 'definition', pg_catalog.pg_get_functiondef(p.oid),
        'sound', l.lanname = 'plpgsql' and not p.prosecdef and p.prorettype = 'pg_catalog.text'::regtype and p.provolatile = 's')
      from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
      where p.pronamespace = c.relnamespace and p.proname = $2::text and p.prokind = 'f'
        and p.proargtypes::text = 'pg_catalog.text'::regtype::oid::text),
    'policies', (select coalesce(json_agg(json_build_object('name', p.polname, 'permissive', p.polpermissive,
        'command', case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' else 'ALL' end,
        'roles', (select json_agg(case when r.oid = 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(r.oid)) end order by r.oid)
          from unnest(p.polroles) r(oid)),
        'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid), 'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
      order by p.polname), '[]') from pg_catalog.pg_policy p where p.polrelid = c.oid))::text
  from pg_catalog.pg_class c where c.oid = $1::text::oid`;

/** With an empty search path the server tells names with their schemas, so that a function is no other one. */
const look = async (place: Place, run: Run): Promise<Found> => {
  const [before] = await run({text: "select pg_catalog.current_setting('search_path')", values: []});
  const setPath = (path: string) =>
    run({text: "select pg_catalog.set_config('search_path', $1::text, true)", values: [path]});
  await setPath('pg_catalog');
  const [row] = await run({text: statement, values: [place.table.oid, spotOf(place).name(claimSuffix)]});
  await setPath(before![0]!);
  return JSON.parse(row![0]!) as Found;
};

const claimDiffers = ({claim}: Found): boolean =>
  !claim?.sound ||
  plainSource(claim.source) !== plainSource(claimBody) ||
  claim.config?.join() !== safeConfig;

/** What of a policy is not as this guard makes it; null when all is. */
const differs = (
  wanted: ReturnType<typeof policiesOf>[number],
  found: FoundPolicy | undefined,
): string | null => {
  if (!found) return 'is not there';
  if (!found.permissive) return 'is restrictive';
  if (found.command !== wanted.command) return `is for ${found.command.toLowerCase()}`;
  if (found.roles.join() !== 'public') return `is for the role ${found.roles.join(', ')} only`;
  if (!sameSql(found.using, wanted.using)) return 'has another USING';
  return sameSql(found.check, wanted.check) ? null : 'has another WITH CHECK';
};

/** Policies of others that let rows through, which these can't take back. */
const letThrough = (spot: Spot, rule: Rule, {policies}: Found): string[] => {
  const own = new Set(policiesOf(rule.columns, spot).map(({name}) => name));
  return policies
    .filter(({name, permissive, roles}) => permissive && !own.has(name) && roles.join() !== 'service_role')
    .map(({name, command}) => `the policy ${name} (${command.toLowerCase()}) lets rows through besides`);
};

/** What of the guard's own is not as it should be. */
const faults = (rule: Rule, spot: Spot, found: Found): string[] => [
  ...(found.secured ? [] : ['row level security is off']),
  ...policiesOf(rule.columns, spot).flatMap(wanted => {
    const why = differs(
      wanted,
      found.policies.find(({name}) => name === wanted.name),
    );
    return why === null ? [] : [`the policy ${wanted.name} ${why}`];
  }),
  ...(claimDiffers(found)
    ? [`the function ${spot.name(claimSuffix)} is ${found.claim ? 'defined otherwise' : 'not there'}`]
    : []),
];

const isThere = (rule: Rule, spot: Spot, {policies}: Found): boolean =>
  policiesOf(rule.columns, spot).some(({name}) => policies.some(policy => policy.name === name));

const seen = (rule: Rule, spot: Spot, found: Found): GuardSeen => {
  const others = letThrough(spot, rule, found);
  if (!isThere(rule, spot, found)) return {state: 'missing', why: others.join('; ') || null};
  const why = [...faults(rule, spot, found), ...others];
  return why.length > 0 ? {state: 'drifted', why: why.join('; ')} : {state: 'installed', why: null};
};

type Before = {
  secured: boolean;
  claim: string | null;
  /** Statements that make again what had the names of this guard's policies. */
  policies: string[];
  /** All that were there. */
  names: string[];
};

const remade = ({name, permissive, command, roles, using, check}: FoundPolicy, {sql}: Spot): string =>
  [
    `create policy ${ident(name)} on ${sql} as ${permissive ? 'permissive' : 'restrictive'} for ${command.toLowerCase()} to ${roles.join(', ')}`,
    ...(using === null ? [] : [`using (${using})`]),
    ...(check === null ? [] : [`with check (${check})`]),
  ].join(' ');

const uninstall = (rule: Rule, place: Place, found: Found, before: Before | null): Task[] => {
  const spot = spotOf(place);
  const own = new Set(policiesOf(rule.columns, spot).map(({name}) => name));
  const restored = found.policies.filter(({name}) => own.has(name)).map(policy => remade(policy, spot));
  const wanted = before?.policies ?? [];
  // Policies that came later count on row security: to switch it off would open the table behind their backs.
  const later =
    before && !before.secured
      ? found.policies.filter(({name}) => !own.has(name) && !before.names.includes(name))
      : [];
  const secured = before && (before.secured || later.length > 0);
  if (
    (before?.claim ?? null) === (found.claim?.definition ?? null) &&
    JSON.stringify(restored) === JSON.stringify(wanted) &&
    (secured ?? found.secured) === found.secured
  )
    return [];
  const why =
    later.length > 0
      ? `; row level security stays on, because ${later.map(({name}) => name).join(', ')} came after it`
      : '';
  const statements = down(rule.columns, spot, secured);
  return [
    {
      name: 'policies',
      phase: 'refuse',
      text: `takes away the policies of ${place.table.name}${why}`,
      statements: [
        ...(before?.claim ? [...statements.slice(0, -1), before.claim.trim()] : statements),
        ...wanted,
      ],
      how: 'transaction',
    },
  ];
};

export const ownRows: RuleKeeper<Rule> = {
  unavailable({columns}, {table}) {
    const needed = [columns.email, columns.type, columns.protected];
    const missing = needed.find(name => !columnOf(table, name));
    if (missing !== undefined) return `"${table.name}" has no column "${missing}"`;
    if (columnOf(table, columns.email)!.type.family !== 'text')
      return `"${columns.email}" of "${table.name}" is no text`;
    const {family} = columnOf(table, columns.protected)!.type;
    return family === 'bool' ? null : `"${columns.protected}" of "${table.name}" is no boolean`;
  },
  state: async (rule, place, run) => seen(rule, spotOf(place), await look(place, run)),
  async capture(rule, place, run): Promise<Json> {
    const found = await look(place, run);
    const spot = spotOf(place);
    if (isThere(rule, spot, found) && faults(rule, spot, found).length === 0) return null;
    const own = new Set(policiesOf(rule.columns, spot).map(({name}) => name));
    return {
      secured: found.secured,
      claim: found.claim?.definition ?? null,
      policies: found.policies.filter(({name}) => own.has(name)).map(policy => remade(policy, spot)),
      names: found.policies.map(({name}) => name),
    };
  },
  async tasks(rule, place, direction, run, before) {
    const found = await look(place, run);
    const spot = spotOf(place);
    if (direction === 'uninstall') return uninstall(rule, place, found, before as Before | null);
    if (isThere(rule, spot, found) && faults(rule, spot, found).length === 0) return [];
    return [
      {
        name: 'policies',
        phase: 'refuse',
        text: `lets a signed-in user at the device sessions of its own email in ${place.table.name}, and at nothing else`,
        statements: up(rule.columns, spot).filter(text => !text.startsWith('--')),
        how: 'transaction',
      },
    ];
  },
  script: ({columns}, place, direction) =>
    direction === 'install' ? up(columns, spotOf(place)) : down(columns, spotOf(place), null),
  prove: proveOwnRows,
};
