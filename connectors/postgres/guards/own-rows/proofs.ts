/** What signed-in users and the service read and write on a scratch copy with row security. */
import {randomBytes} from 'node:crypto';
import type {DeviceColumns} from '../../../../source/guards.js';
import type {Cells} from '../../rows.js';
import {ident, literal} from '../../sql.js';
import {idOf, inserting, type SampleRow} from '../device-sessions/rows.js';
import {equals, proof, refusing} from '../proof.js';
import type {RuleOf, RuleProof, Scratch} from '../rule.js';

const refused = '42501';
const ada = 'ada@sesstui.example';
const bob = 'bob@sesstui.example';

const rows: SampleRow[] = [
  {number: 1, email: ada, type: 'device', protected: false},
  {number: 2, email: ` ${ada.toUpperCase()}`, type: 'device', protected: false},
  {number: 3, email: ada, type: 'background', protected: true},
  {number: 4, email: bob, type: 'device', protected: false},
];

type Around = {before: string[]; after: string[]};

/**
 * Makes the transaction one that row security holds for. Who may create a role makes one without privileges of its
 * own, and drops it again in the same transaction; the table's owner can have it hold for itself. Null: neither.
 */
const stage = async ({sql, place, query}: Scratch): Promise<Around | null> => {
  const [row] = await query(
    `select rolsuper, rolbypassrls from pg_catalog.pg_roles where rolname = current_user`,
  );
  const [isSuper, bypasses] = row!;
  // Pinned off elsewhere, so that hidden rows are an error; here they are the point.
  const secured = 'set local row_security = on';
  if (isSuper !== 't')
    return bypasses === 't'
      ? null
      : {
          before: [secured, `alter table ${sql} force row level security`],
          after: [`alter table ${sql} no force row level security`],
        };
  const role = ident(`sesstui_proof_${randomBytes(6).toString('hex')}`);
  return {
    before: [
      secured,
      `create role ${role} nologin`,
      `grant usage on schema ${ident(place.table.schema)} to ${role}`,
      `grant select, insert, update, delete on ${sql} to ${role}`,
      `set local role ${role}`,
    ],
    after: ['reset role', `drop owned by ${role}`, `drop role ${role}`],
  };
};

/** The answer of a statement that is made with these claims (as the setting holds them). */
type Ask = (claims: string, text: string) => Promise<Cells[]>;

const signedIn = (email: string): string => JSON.stringify({role: 'authenticated', email});
const service = JSON.stringify({role: 'service_role'});

async function* reads(columns: DeviceColumns, scratch: Scratch, ask: Ask): AsyncIterable<RuleProof> {
  const id = ident(columns.id);
  const seenBy = async (claims: string): Promise<string> => {
    const list = await ask(claims, `select ${id}::text from ${scratch.sql} order by 1`);
    const numbers = rows.map(({number}) => [number, idOf(number, columns, scratch)] as const);
    return list.map(([found]) => numbers.find(([, text]) => text === found)?.[0] ?? found).join(', ');
  };
  const reading = (text: string, claims: string, wanted: string): Promise<RuleProof> =>
    proof(text, async () => equals(await seenBy(claims), wanted));
  yield await reading(
    "a signed-in user reads its own email's device sessions, however it is spelt; no background session, nobody else's",
    signedIn(ada),
    '1, 2',
  );
  yield await reading('who is not signed in reads nothing', '', '');
  yield await reading('claims without an email read nothing', '{"role":"authenticated"}', '');
  yield await reading('claims that are no JSON read nothing, without an error', '{"email":', '');
  yield await reading('the service role reads everything', service, '1, 2, 3, 4');
}

async function* writes(columns: DeviceColumns, scratch: Scratch, ask: Ask): AsyncIterable<RuleProof> {
  const {sql} = scratch;
  const id = ident(columns.id);
  const at = (number: number): string => literal(idOf(number, columns, scratch));
  const adding = (row: Partial<SampleRow> & {number: number}): string =>
    inserting([{email: ada, type: 'device', protected: false, ...row}], columns, scratch);
  const setting = (column: string, value: string, number: number): string =>
    `update ${sql} set ${ident(column)} = ${literal(value)} where ${id} = ${at(number)} returning 1`;
  const deleting = (number: number): string => `delete from ${sql} where ${id} = ${at(number)} returning 1`;
  const touching = (text: string, claims: string, statement: string, count: number): Promise<RuleProof> =>
    proof(text, async () => equals(`${(await ask(claims, statement)).length} rows`, `${count} rows`));
  const user = signedIn(ada);
  const forbidden = (text: string, statement: string): Promise<RuleProof> =>
    refusing(text, refused, () => ask(user, statement));
  yield await touching(
    'it adds a device session of its own email',
    user,
    `${adding({number: 5})} returning 1`,
    1,
  );
  yield await forbidden("it can't add one of another email", adding({number: 6, email: bob}));
  yield await forbidden("it can't add a background session", adding({number: 6, type: 'background'}));
  yield await forbidden("it can't add a protected session", adding({number: 6, protected: true}));
  yield await touching('it changes its own', user, setting(columns.email, ada, 2), 1);
  yield await forbidden("it can't give its own to another email", setting(columns.email, bob, 2));
  yield await forbidden("it can't make its own a background session", setting(columns.type, 'background', 2));
  yield await touching("it can't change another's", user, setting(columns.email, ada, 4), 0);
  yield await touching("it can't change a background session", user, setting(columns.email, ada, 3), 0);
  yield await touching("it can't remove another's", user, deleting(4), 0);
  yield await touching("it can't remove a background session", user, deleting(3), 0);
  yield await touching('it removes its own', user, deleting(5), 1);
  yield await touching('the service role changes any', service, setting(columns.email, bob, 4), 1);
  const last = adding({number: 7, email: bob, type: 'background', protected: true});
  yield await touching('the service role adds background sessions', service, `${last} returning 1`, 1);
}

/** What users and the service see and change; one failed proof where this user of the database can be no other. */
export async function* proveOwnRows(
  {columns}: RuleOf<'own-rows'>,
  scratch: Scratch,
): AsyncIterable<RuleProof> {
  await scratch.install();
  await scratch.query(inserting(rows, columns, scratch));
  const around = await stage(scratch);
  if (!around) {
    const why = 'this user of the database passes row security by, and may create no role to try with';
    yield {text: 'a signed-in user deals with its own device sessions only', passed: false, why};
    return;
  }
  const {before, after} = around;
  const ask: Ask = async (claims, text) => {
    const claimed = `select pg_catalog.set_config('request.jwt.claims', ${literal(claims)}, true)`;
    return (await scratch.transaction([...before, claimed, text, ...after]))[before.length + 1]!;
  };
  yield* reads(columns, scratch, ask);
  yield* writes(columns, scratch, ask);
}
