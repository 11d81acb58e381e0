/** What stands of the policies of `own-rows`, and what of it differs from what it should be. */
import type {GuardSeen} from '../../../../source/guards.js';
import type {Run} from '../../session.js';
import {type Spot, safeConfig, spotOf} from '../device-sessions/spot.js';
import type {Place, RuleOf} from '../rule.js';
import {plainSource, sameSql} from '../sql/same-sql.js';
import {claimBody, claimSuffix, type Policy, policiesOf} from './sql.js';

type Rule = RuleOf<'own-rows'>;

export type FoundPolicy = {
  name: string;
  permissive: boolean;
  command: string;
  roles: string[];
  using: string | null;
  check: string | null;
};

export type Found = {
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
export const look = async (place: Place, run: Run): Promise<Found> => {
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

/** Both lower-case as JavaScript does: which one a script was written with, or a server had then, is no difference. */
const alike = ['und-x-icu', 'pg_unicode_fast'].map(name => ` collate pg_catalog."${name}"`);

const wantedFor = ({columns}: Rule, spot: Spot): Policy[][] =>
  [spot.lower, ...alike].map(lower => policiesOf(columns, {...spot, lower}));

/** What of a policy is not as one of those that are alike; null when all is. */
const differs = (wanted: Policy[], found: FoundPolicy | undefined): string | null => {
  if (!found) return 'is not there';
  const [{command}] = wanted as [Policy];
  if (!found.permissive) return 'is restrictive';
  if (found.command !== command) return `is for ${found.command.toLowerCase()}`;
  if (found.roles.join() !== 'public') return `is for the role ${found.roles.join(', ')} only`;
  if (!wanted.some(({using}) => sameSql(found.using, using))) return 'has another USING';
  return wanted.some(({check}) => sameSql(found.check, check)) ? null : 'has another WITH CHECK';
};

/** Policies of others that let rows through, which these can't take back. */
const letThrough = (spot: Spot, rule: Rule, {policies}: Found): string[] => {
  const own = new Set(policiesOf(rule.columns, spot).map(({name}) => name));
  return policies
    .filter(({name, permissive, roles}) => permissive && !own.has(name) && roles.join() !== 'service_role')
    .map(({name, command}) => `the policy ${name} (${command.toLowerCase()}) lets rows through besides`);
};

/** What of the guard's own is not as it should be. */
export const faults = (rule: Rule, spot: Spot, found: Found): string[] => [
  ...(found.secured ? [] : ['row level security is off']),
  ...policiesOf(rule.columns, spot).flatMap(({name}, index) => {
    const wanted = wantedFor(rule, spot).map(policies => policies[index]!);
    const why = differs(
      wanted,
      found.policies.find(policy => policy.name === name),
    );
    return why === null ? [] : [`the policy ${name} ${why}`];
  }),
  ...(claimDiffers(found)
    ? [`the function ${spot.name(claimSuffix)} is ${found.claim ? 'defined otherwise' : 'not there'}`]
    : []),
];

export const isThere = (rule: Rule, spot: Spot, {policies}: Found): boolean =>
  policiesOf(rule.columns, spot).some(({name}) => policies.some(policy => policy.name === name));

export const seen = (rule: Rule, spot: Spot, found: Found): GuardSeen => {
  const others = letThrough(spot, rule, found);
  if (!isThere(rule, spot, found)) return {state: 'missing', why: others.join('; ') || null};
  const why = [...faults(rule, spot, found), ...others];
  return why.length > 0 ? {state: 'drifted', why: why.join('; ')} : {state: 'installed', why: null};
};
