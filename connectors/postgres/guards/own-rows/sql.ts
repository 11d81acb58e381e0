/** The policies by which a signed-in user deals with its own device sessions only, as SQL. */
import type {DeviceColumns} from '../../../../source/guards.js';
import {dollarQuoted, ident, jsWhitespace, literal} from '../../sql.js';
import {doBlock, dropFunction, isUsed, oidOf, type Spot, safePath} from '../device-sessions/spot.js';

export type Policy = {
  name: string;
  /** As pg_policies tells it. */
  command: 'ALL' | 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';
  using: string | null;
  check: string | null;
};

export const claimSuffix = '_claim';
const claimFunction = (spot: Spot): string => spot.qualified(spot.name(claimSuffix));
const claimSignature = (spot: Spot): string => `${claimFunction(spot)}(text)`;

/**
 * A claim of the signed-in user's token that is text, as PostgREST and Supabase leave it for the transaction (the
 * setting of old versions too); NULL for anything else. What is no JSON is no claim either, and never an error.
 */
export const claimBody = `
declare
  claims text := pg_catalog.current_setting('request.jwt.claims', true);
begin
  if coalesce(claims, '') = '' then
    return nullif(pg_catalog.current_setting('request.jwt.claim.' || claim, true), '');
  end if;
  return case when pg_catalog.jsonb_typeof(claims::jsonb -> claim) = 'string' then claims::jsonb ->> claim end;
exception when others then
  return null;
end
`;

const createClaim = (spot: Spot): string =>
  `create or replace function ${claimFunction(spot)}(claim text) returns text language plpgsql stable
  ${safePath} as ${dollarQuoted(claimBody)}`;

/** As the connector's `{norm: …}`: trimmed and lower-cased as JavaScript does. */
const normal = (text: string, {lower}: Spot): string =>
  `pg_catalog.lower(pg_catalog.btrim(${text}, ${jsWhitespace})${lower})`;

/**
 * Asked once a statement, not for each row: that is what `(select …)` is for. Casts and aliases are those that the
 * server would put there itself, so that what it tells of a policy compares word by word.
 */
const conditions = (columns: DeviceColumns, spot: Spot) => {
  const claim = (name: string): string => `${claimFunction(spot)}(${literal(name)})`;
  const service = `(select coalesce(pg_catalog.pg_has_role(current_user, pg_catalog.to_regrole('service_role')::oid, 'usage'), false) or coalesce(${claim('role')} = 'service_role', false) as service)`;
  const user = `(select nullif(${normal(claim('email'), spot)}, '') as email)`;
  const own = `${ident(columns.type)}::text = 'device' and ${normal(`${ident(columns.email)}::text`, spot)} = ${user}`;
  return {service, own, writable: `${own} and ${ident(columns.protected)} is false`};
};

/** A protected session is seen by its user, and changed by nobody but the service. */
export const policiesOf = (columns: DeviceColumns, spot: Spot): Policy[] => {
  const {service, own, writable} = conditions(columns, spot);
  return [
    {name: spot.name('_service'), command: 'ALL', using: service, check: service},
    {name: spot.name('_own_select'), command: 'SELECT', using: own, check: null},
    {name: spot.name('_own_insert'), command: 'INSERT', using: null, check: writable},
    {name: spot.name('_own_update'), command: 'UPDATE', using: writable, check: writable},
    {name: spot.name('_own_delete'), command: 'DELETE', using: writable, check: null},
  ];
};

const createPolicy = ({name, command, using, check}: Policy, {sql}: Spot): string =>
  [
    `create policy ${ident(name)} on ${sql} for ${command.toLowerCase()} to public`,
    ...(using === null ? [] : [`using (${using})`]),
    ...(check === null ? [] : [`with check (${check})`]),
  ].join('\n  ');

const dropPolicy = ({name}: Pick<Policy, 'name'>, {sql}: Spot): string =>
  `drop policy if exists ${ident(name)} on ${sql}`;

const wasOn = literal('row level security was on before');

/** Tells the way back: before the first policy is there, the table's own switch still says how it was. */
const markBefore = (policies: Policy[], spot: Spot): string =>
  doBlock(`begin
  if (select c.relrowsecurity from pg_catalog.pg_class c where c.oid = ${oidOf(spot)})
    and not exists (select from pg_catalog.pg_policy p where p.polrelid = ${oidOf(spot)}
      and p.polname in (${policies.map(({name}) => literal(name)).join(', ')})) then
    comment on function ${claimSignature(spot)} is ${wasOn};
  end if;
end`);

/**
 * Switches row security off unless it was on before these policies came; without their function they never did. A
 * policy that has come to use the function counts on it.
 */
const switchBack = (spot: Spot): string =>
  doBlock(`declare
  claim oid := pg_catalog.to_regprocedure(${literal(claimSignature(spot))});
begin
  if claim is not null and pg_catalog.obj_description(claim, 'pg_proc') is distinct from ${wasOn}
    and not ${isUsed('claim')} then
    alter table ${spot.sql} disable row level security;
  end if;
end`);

export const up = (columns: DeviceColumns, spot: Spot): string[] => {
  const policies = policiesOf(columns, spot);
  return [
    "-- A signed-in user deals with its own email's device sessions only. The table's owner is not affected.",
    createClaim(spot),
    `grant execute on function ${claimSignature(spot)} to public`,
    markBefore(policies, spot),
    ...policies.flatMap(policy => [dropPolicy(policy, spot), createPolicy(policy, spot)]),
    `alter table ${spot.sql} enable row level security`,
  ];
};

/** `secured`: whether row security is to be on afterwards; null for what the database knows of that itself. */
export const down = (columns: DeviceColumns, spot: Spot, secured: boolean | null): string[] => [
  ...policiesOf(columns, spot).map(policy => dropPolicy(policy, spot)),
  ...(secured === null ? [switchBack(spot)] : []),
  ...(secured === null
    ? []
    : [`alter table ${spot.sql} ${secured ? 'enable' : 'disable'} row level security`]),
  dropFunction(claimSignature(spot)),
];
