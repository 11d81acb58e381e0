/** Logins and deletes on a scratch copy whose background and protected sessions are not deleted. */
import type {DeviceColumns} from '../../../../source/guards.js';
import {columnOf} from '../../catalogue.js';
import {ident, jsWhitespace, literal} from '../../sql.js';
import {idOf, inserting, type SampleRow} from '../device-sessions/rows.js';
import {equals, proof, refusing} from '../proof.js';
import type {RuleOf, RuleProof, Scratch} from '../rule.js';
import {allowing} from './sql.js';

const refused = '23001';
const email = 'ada@sesstui.example';

/** As a login makes them, and makes them again: by the rule that there is one for an email. */
async function* logins(columns: DeviceColumns, scratch: Scratch): AsyncIterable<RuleProof> {
  const {query, sql, place} = scratch;
  // Without a cast: that of an enumeration is not immutable, which an index wants.
  const background = `${ident(columns.type)} = 'background'`;
  const target = `((lower(btrim(${ident(columns.email)}::text, ${jsWhitespace})${place.lower}))) where ${background}`;
  await query(`create unique index on ${sql} ${target}`);
  const login = async (number: number, spelt: string): Promise<void> => {
    const row = {number, email: spelt, type: 'background', protected: true};
    const mark = columnOf(place.table, columns.fingerprint) ? columns.fingerprint : columns.protected;
    await query(
      `${inserting([row], columns, scratch)} on conflict ${target} do update set ${ident(mark)} = excluded.${ident(mark)}`,
    );
    await query(
      inserting([{...row, number: number + 1, type: 'device', protected: false}], columns, scratch),
    );
  };
  const counts = async (): Promise<string> => {
    const [row] = await query(
      `select count(*) filter (where ${background})::text, count(*) filter (where not ${background})::text from ${sql}`,
    );
    return `${row![0]} background and ${row![1]} device sessions`;
  };
  yield proof('the first login makes a background and a device session', async () => {
    await login(1, email);
    return equals(await counts(), '1 background and 1 device sessions');
  });
  yield proof('the second login updates the background session, and there is still one', async () => {
    await login(3, ` ${email.toUpperCase()}`);
    return equals(await counts(), '1 background and 2 device sessions');
  });
}

/** Rows of each kind, and what a delete of them makes of them. */
export async function* proveUndeletable(
  {columns}: RuleOf<'undeletable'>,
  scratch: Scratch,
): AsyncIterable<RuleProof> {
  const {sql, query, transaction} = scratch;
  await scratch.install();
  yield* logins(columns, scratch);
  const nullable = (name: string): boolean => columnOf(scratch.place.table, name)!.nullable;
  const row = (number: number, rest: Partial<SampleRow>): SampleRow => ({
    number,
    email: `${number}@sesstui.example`,
    type: 'device',
    protected: false,
    ...rest,
  });
  const deleting = (number: number): string =>
    `delete from ${sql} where ${ident(columns.id)} = ${literal(idOf(number, columns, scratch))} returning 1`;
  const made = async (one: SampleRow): Promise<string> => {
    await query(inserting([one], columns, scratch));
    return deleting(one.number);
  };
  const kept = (what: string, one: SampleRow): Promise<RuleProof> =>
    refusing(`the delete of ${what} is refused`, refused, async () => query(await made(one)));
  const passes = (what: string, work: () => Promise<unknown[]>): Promise<RuleProof> =>
    proof(`the delete of ${what} passes`, async () => equals(`${(await work()).length} rows`, '1 rows'));
  yield await kept('a background session', row(11, {type: 'background', protected: true}));
  yield await kept('a protected device session', row(12, {protected: true, expires: '-1 day'}));
  if (nullable(columns.protected))
    yield await kept('a session of unknown protection', row(13, {protected: null}));
  if (nullable(columns.type)) yield await kept('a session of unknown type', row(14, {type: null}));
  yield await passes('an expired device session', async () =>
    query(await made(row(15, {expires: '-1 day'}))),
  );
  yield await passes(
    `a background session after ${allowing}`,
    async () => (await transaction([allowing, deleting(11)]))[1]!,
  );
  yield await refusing('the next transaction is refused again', refused, async () =>
    query(await made(row(16, {type: 'background', protected: true}))),
  );
}
