import {expect, test} from 'vitest';
import {ago, short, type Tables, tester} from '../support/check-tester.js';

const kite = {
  check: 'duplicates',
  table: 'kite-sessions',
  groupBy: ['accountId'],
  latestBy: ['updatedAt', 'createdAt'],
  canonicalId: 'sess_{accountId}',
  referencedBy: {table: 'kite-accounts', key: 'accountId', attribute: 'session'},
};
const session = (
  sessionId: string,
  accountId: string | undefined,
  updatedAt: unknown,
  createdAt: unknown = ago(5000),
) => ({sessionId, accountId, updatedAt, createdAt}) as never;
const tables = (sessions: never[], accounts: object[] = []): Tables => ({
  'kite-sessions': {key: ['sessionId'], rows: sessions},
  'kite-accounts': {key: ['accountId'], rows: accounts as never[]},
});

test('an account with several sessions is one finding; the latest stays, by mixed formats of time', async () => {
  const seconds = Math.floor(Date.parse(ago(30)) / 1000);
  const {findings, changes} = tester(
    kite,
    tables(
      [
        session('a', 'acc', String(Date.parse(ago(20)))),
        session('b', 'acc', ago(10).replace('Z', '+00:00')),
        session('sess_acc', 'acc', seconds),
      ],
      [{accountId: 'acc', session: 'b'}],
    ),
  );
  const [finding, ...others] = await findings();
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    group: 'acc',
    reasons: ['duplicate', 'non-canonical-id'],
    actions: ['keep-latest', 'keep-canonical', 'rekey', 'delete-non-canonical', 'purge'],
  });
  expect(finding!.rows.map(row => [row.key.sessionId, row.verdict])).toEqual([
    ['a', 'delete'],
    ['b', 'keep'],
    ['sess_acc', 'delete'],
  ]);
  expect(await changes('keep-latest')).toEqual(['delete kite-sessions a', 'delete kite-sessions sess_acc']);
});

test('ties go to the canonical id, then to the lowest key; an unreadable time is the oldest', async () => {
  const same = ago(10);
  const tie = tester(
    kite,
    tables(
      [session('b', 'x', same), session('sess_x', 'x', same), session('a', 'x', same)],
      [{accountId: 'x', session: 'sess_x'}],
    ),
  );
  expect((await tie.changes('keep-latest')).join()).not.toContain('sess_x');
  const none = tester(
    kite,
    tables([session('b', 'x', same), session('a', 'x', same)], [{accountId: 'x', session: 'a'}]),
  );
  expect(await none.changes('keep-latest')).toEqual(['delete kite-sessions b']);
  const unreadable = tester(
    kite,
    tables(
      [session('sess_y', 'y', 'soon'), session('b', 'y', ago(99_999))],
      [{accountId: 'y', session: 'b'}],
    ),
  );
  expect(await unreadable.changes('keep-latest')).toEqual(['delete kite-sessions sess_y']);
  expect((await unreadable.findings())[0]!.reasons).toContain('unreadable-time');
});

test('a deleted row that the account refers to is repointed in the same unit, as text or inside a map', async () => {
  const rows = [session('old', 'acc', ago(50)), session('sess_acc', 'acc', ago(1))];
  expect(
    await tester(kite, tables(rows, [{accountId: 'acc', session: 'old'}])).changes('keep-latest'),
  ).toEqual(['delete kite-sessions old', 'update kite-accounts acc {"session":"sess_acc"}']);
  const {plan, changes} = tester(
    kite,
    tables(rows, [{accountId: 'acc', session: {sessionId: 'old', since: 7}}]),
  );
  expect(await changes('keep-latest')).toEqual([
    'delete kite-sessions old',
    'update kite-accounts acc {"session.sessionId":"sess_acc"}',
  ]);
  expect((await plan('keep-latest')).units).toHaveLength(1);
});

test('keep-canonical leaves a group without a canonical row alone and says so', async () => {
  const {changes, plan} = tester(
    kite,
    tables([
      session('a', 'x', ago(1)),
      session('b', 'x', ago(2)),
      session('sess_y', 'y', ago(9)),
      session('c', 'y', ago(1)),
    ]),
  );
  expect(await changes('keep-canonical')).toEqual(['delete kite-sessions c']);
  expect((await plan('keep-canonical')).notes).toEqual(['1 groups have no canonical row and are left alone']);
});

test('rekey moves the latest to the canonical id, keeps the earliest createdAt, and repoints', async () => {
  const earliest = ago(9000);
  const moved = tester(
    kite,
    tables(
      [session('a', 'x', ago(1), ago(100)), session('b', 'x', ago(2), earliest)],
      [{accountId: 'x', session: 'a'}],
    ),
  );
  expect(await moved.changes('rekey')).toEqual([
    `insert kite-sessions sess_x {"createdAt":"${earliest}","sessionId":"sess_x"}`,
    'delete kite-sessions a',
    'delete kite-sessions b',
    'update kite-accounts x {"session":"sess_x"}',
  ]);
  const onto = tester(
    kite,
    tables(
      [session('a', 'x', ago(1), ago(100)), session('sess_x', 'x', ago(2), earliest)],
      [{accountId: 'x', session: 'sess_x'}],
    ),
  );
  expect(await onto.changes('rekey')).toEqual([
    `update kite-sessions sess_x {"createdAt":"${earliest}","sessionId":"sess_x"}`,
    'delete kite-sessions a',
  ]);
});

test('a single row with another id is non-canonical and only rekey is its default', async () => {
  const {findings, changes} = tester(
    kite,
    tables([session('uuid-1', 'x', ago(1))], [{accountId: 'x', session: 'uuid-1'}]),
  );
  expect(short(await findings())).toEqual(['x: non-canonical-id']);
  expect((await findings())[0]).toMatchObject({
    actions: ['rekey', 'delete-non-canonical', 'purge'],
    rows: [{verdict: 'update'}],
  });
  expect(await changes('keep-latest')).toEqual([]);
});

test("references: dangling ones, and rows that nothing refers to, are repointed to the account's session", async () => {
  const {findings, changes, plan} = tester(
    kite,
    tables(
      [session('sess_a', 'a', ago(1)), session('sess_b', 'b', ago(1))],
      [
        {accountId: 'a', session: 'gone'},
        {accountId: 'b', name: 'Bo'},
        {accountId: 'c', session: 'gone-too'},
      ],
    ),
  );
  expect(short(await findings())).toEqual([
    'a: dangling-reference',
    'a: unreferenced',
    'b: unreferenced',
    'c: dangling-reference',
  ]);
  expect((await changes('repoint')).sort()).toEqual([
    'update kite-accounts a {"session":"sess_a"}',
    'update kite-accounts b {"session":"sess_b"}',
    'update kite-accounts c {"session":"remove"}',
  ]);
  expect((await plan('repoint')).notes).toEqual([
    '1 references to nothing are removed: their accounts have no session',
  ]);
});

test('delete-non-canonical and purge count the accounts that they leave without a session', async () => {
  const rows = tables(
    [session('uuid-1', 'x', ago(1)), session('uuid-2', 'y', ago(1)), session('sess_y', 'y', ago(2))],
    [
      {accountId: 'x', session: 'uuid-1'},
      {accountId: 'y', session: 'uuid-2'},
    ],
  );
  const {changes, plan} = tester(kite, rows);
  expect((await changes('delete-non-canonical')).sort()).toEqual([
    'delete kite-sessions uuid-1',
    'delete kite-sessions uuid-2',
    'update kite-accounts x {"session":"remove"}',
    'update kite-accounts y {"session":"sess_y"}',
  ]);
  expect((await plan('delete-non-canonical')).notes).toEqual(['1 accounts are left without a session']);
  expect(await changes('purge')).toContain('delete kite-sessions sess_y');
});

test('a row without a group key is told apart and left alone', async () => {
  const {findings, changes} = tester(
    kite,
    tables([session('s1', undefined, ago(1)), session('s2', undefined, ago(1))]),
  );
  const missing = (await findings()).filter(finding => finding.reasons.includes('missing-group-key'));
  expect(missing).toHaveLength(2);
  expect(await changes('keep-latest')).toEqual([]);
});

const registry = {
  check: 'duplicates',
  table: 'app_session_keys',
  groupBy: ['device_key', 'stream_id', 'session_ids'],
  unordered: ['session_ids'],
  payload: ['message_envelope'],
  keep: 'first',
};
const key = (sessionIds: string[], envelope = 'e', device = 'd1') =>
  ({device_key: device, stream_id: 's1', session_ids: sessionIds, message_envelope: envelope}) as never;
const keys = (...rows: never[]): Tables => ({app_session_keys: {key: [], rows}});

test('arrays are equal in any order, but repetitions count', async () => {
  const {findings, changes} = tester(
    registry,
    keys(key(['S2', 'S1']), key(['S1', 'S2']), key(['S1', 'S1', 'S2']), key(['S1', 'S2', 'S3'])),
  );
  expect((await findings()).map(finding => [finding.group, finding.rows.length])).toEqual([
    [['d1', 's1', ['S1', 'S2']], 2],
  ]);
  expect(await changes('keep-first')).toEqual(['delete app_session_keys (0,2)']);
});

test('the first is the lowest ctid as a place, not as text', async () => {
  const rows = Array.from({length: 11}, () => key(['S1']));
  const gone = await tester(registry, keys(...rows)).changes('keep-first');
  expect(gone).toHaveLength(10);
  expect(gone).not.toContain('delete app_session_keys (0,1)');
});

test('a group whose payloads differ is taken only by --group or by hand', async () => {
  const {findings, changes} = tester(registry, keys(key(['S1', 'S2'], 'one'), key(['S2', 'S1'], 'two')));
  const [finding] = await findings();
  expect(finding).toMatchObject({
    reasons: ['duplicate', 'payload-differs'],
    byHand: true,
    rows: [{verdict: 'none'}, {verdict: 'none'}],
  });
  expect(await changes('keep-first')).toEqual([]);
  expect(await changes('keep-first', {groups: ['["d1", "s1", ["S1","S2"]]']})).toHaveLength(1);
  expect(await changes('keep-first', {findings: [finding!.id]})).toHaveLength(1);
});

test('another keeper that the user chose stays', async () => {
  const {findings, changes} = tester(kite, tables([session('a', 'x', ago(1)), session('b', 'x', ago(2))]));
  const [finding] = await findings();
  const keepers = {[finding!.id]: finding!.rows[1]!.identity};
  expect(await changes('keep-latest', {findings: [finding!.id], keepers})).toEqual([
    'delete kite-sessions a',
  ]);
});
