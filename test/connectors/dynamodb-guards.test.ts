/** Guards of DynamoDB: the index beside writers, what a script does without sesstui, and the proofs. */
import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  type UpdateTableCommandInput,
} from '@aws-sdk/client-dynamodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {isLeftover, scratchName} from '../../connectors/dynamodb/guards/scratch.js';
import {openDynamodb} from '../../connectors/dynamodb/index.js';
import {duplicates} from '../../source/checks/duplicates.js';
import {duplicatesGuards} from '../../source/checks/duplicates-guards.js';
import {type Connector, canonicalJson, type Found} from '../../source/connector.js';
import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {demoDynamodbClient, seedKite} from '../../source/demo/seed-load-dynamodb.js';
import type {Groups} from '../../source/forms.js';
import type {GuardRule, Proof} from '../../source/guards.js';
import type {Json} from '../../source/values.js';
import {runScript} from '../support/aws-shim.js';
import {
  type DynamodbServer,
  dropTable,
  dynamodbServers,
  makeTable,
  type RawItem,
  rawClient,
  scanTable,
} from '../support/dynamodb.js';
import {codeOf, faultOf} from '../support/rejections.js';
import {startThrottlingProxy, type ThrottlingProxy} from '../support/throttling-proxy.js';

const settings = {
  store: 'kite',
  environment: 'test',
  timeoutMs: 20_000,
  readOnly: false,
  region: 'eu-west-1',
};
const table = 'guarded-sessions';
const accounts = 'guarded-accounts';
const check = {
  check: 'duplicates' as const,
  table,
  groupBy: ['accountId'],
  latestBy: ['updatedAt', 'createdAt'],
  canonicalId: 'sess_{accountId}',
  referencedBy: {table: accounts, key: 'accountId', attribute: 'session'},
  unordered: [],
  payload: [],
  timeZone: 'UTC',
  secrets: [],
};
const shapes = {
  [table]: {
    table,
    columns: null,
    key: ['sessionId'],
    estimatedRows: null,
    indexes: [],
    cascades: [],
    hidden: null,
  },
};
const guards = duplicatesGuards(check as never, shapes);
const ruleOf = (name: string): GuardRule => guards.find(guard => guard.name === name)!.rule;
const index = ruleOf('account-index');
const writePath = ruleOf('write-path');
const named = [
  {guard: 'account-index', rule: index},
  {guard: 'write-path', rule: writePath},
];
const IndexName = 'accountId-index';

const session = (id: string, accountId: string, more: RawItem = {}): RawItem => ({
  sessionId: {S: id},
  accountId: {S: accountId},
  createdAt: {S: '2026-11-01T00:00:00.000Z'},
  updatedAt: {S: '2026-11-20T00:00:00.000Z'},
  accessToken: {S: 'x'.repeat(900)},
  ...more,
});
/** Canonical ones, one account with two, one row without an account. */
const rows = [
  ...Array.from({length: 250}, (_, i) => session(`sess_a${i}`, `a${i}`)),
  session('another', 'a7'),
  {sessionId: {S: 'nobody'}, updatedAt: {S: '2026-11-20T00:00:00.000Z'}},
];

describe.each(dynamodbServers())('guards on $name', ({start}) => {
  let server: DynamodbServer;
  let proxy: ThrottlingProxy;
  let client: DynamoDBClient;
  let connector: Connector;
  const open = (more: Partial<typeof settings> = {}) =>
    openDynamodb({...settings, endpoint: proxy.endpoint, ...more});
  beforeAll(async () => {
    server = await start();
    client = rawClient(server.endpoint);
    proxy = await startThrottlingProxy(server.endpoint);
  });
  afterAll(async () => {
    await connector?.close();
    client?.destroy();
    await proxy?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    proxy.throttle = () => null;
    proxy.asked.length = 0;
    await settled().catch(() => {});
    await makeTable(client, table, {sessionId: 'S'}, rows);
    await makeTable(
      client,
      accounts,
      {accountId: 'S'},
      Array.from({length: 250}, (_, i) => ({accountId: {S: `a${i}`}, session: {S: `sess_a${i}`}})),
    );
    await connector?.close();
    connector = open();
  });

  const described = async () => (await client.send(new DescribeTableCommand({TableName: table}))).Table!;
  /** Once nothing of the table is being built or removed. */
  const settled = async () => {
    for (;;) {
      const found = await described();
      const {TableStatus, GlobalSecondaryIndexes: indexes = []} = found;
      if (TableStatus === 'ACTIVE' && indexes.every(({IndexStatus}) => IndexStatus === 'ACTIVE'))
        return found;
    }
  };
  /** What a description says of the table, without counts and moments. */
  const catalogue = async (): Promise<string> => {
    const {ItemCount: _, TableSizeBytes: __, AttributeDefinitions = [], ...rest} = await described();
    const sorted = [...AttributeDefinitions].sort((a, b) => (a.AttributeName! < b.AttributeName! ? -1 : 1));
    return canonicalJson({...rest, AttributeDefinitions: sorted} as unknown as Json);
  };
  const run = async (
    rule: GuardRule,
    direction: 'install' | 'uninstall',
    said: string[] = [],
  ): Promise<string[]> => {
    const before = await connector.guards.capture(rule);
    const steps = await connector.guards.steps(rule, direction, {before});
    for (const step of steps)
      await connector.guards.perform(rule, direction, step, {before, onProgress: text => said.push(text)});
    return steps.map(({name}) => name);
  };
  const update = (change: object, types: [string, 'S' | 'N'][] = []) =>
    client.send(
      new UpdateTableCommand({
        TableName: table,
        AttributeDefinitions: types.map(([AttributeName, AttributeType]) => ({AttributeName, AttributeType})),
        GlobalSecondaryIndexUpdates: [change],
      }),
    );
  const create = (
    name: string,
    attribute: string,
    projection: 'KEYS_ONLY' | 'ALL' | 'INCLUDE' = 'KEYS_ONLY',
  ) => ({
    Create: {
      IndexName: name,
      KeySchema: [{AttributeName: attribute, KeyType: 'HASH'}],
      Projection: {
        ProjectionType: projection,
        ...(projection === 'INCLUDE' && {NonKeyAttributes: ['updatedAt', 'createdAt']}),
      },
    },
  });
  const byIndex = async (accountId: string): Promise<number> => {
    const {Count} = await client.send(
      new QueryCommand({
        TableName: table,
        IndexName,
        KeyConditionExpression: 'accountId = :a',
        ExpressionAttributeValues: {':a': {S: accountId}},
      }),
    );
    return Count!;
  };
  const form = duplicates.parts(check as never, {
    ...shapes,
    [accounts]: {...shapes[table]!, table: accounts, key: ['accountId']},
  })[0]!.form as Groups;
  const found = async (): Promise<Found[]> =>
    (await connector.survey(form, {now: Date.parse('2026-11-21') * 1000, offset: 0, limit: 1000})).found;

  /**
   * As applications do, a write is tried again where the server fails: DynamoDB Local answers InternalFailure to some
   * while it fills an index, whoever asked for it. A refusal is not tried again.
   */
  const answered = async (write: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      try {
        await write();
        return;
      } catch (error) {
        if ((error as {$fault?: string}).$fault === 'client' && !/InternalFailure/.test(String(error)))
          throw error;
      }
    }
  };

  test('the index is installed beside eight hot writers, holds every row, and goes without a trace', async () => {
    const before = await catalogue();
    expect(await connector.guards.state(index)).toEqual({state: 'missing', why: null});
    let goesOn = true;
    const faults: string[] = [];
    const written: string[] = [];
    const writers = Array.from({length: 8}, async (_, writer) => {
      for (let i = 0; goesOn; i++) {
        const id = `w${writer}-${i}`;
        try {
          await answered(() =>
            client.send(new PutItemCommand({TableName: table, Item: session(id, `hot${writer}`)})),
          );
          await answered(() =>
            client.send(
              new UpdateItemCommand({
                TableName: table,
                Key: {sessionId: {S: id}},
                UpdateExpression: 'SET visits = :n',
                ExpressionAttributeValues: {':n': {N: String(i)}},
              }),
            ),
          );
          written.push(id);
        } catch (error) {
          faults.push(String(error));
        }
      }
    });
    const said: string[] = [];
    const shown = (await connector.guards.steps(index, 'install', {before: null}))
      .flatMap(({statements}) => statements)
      .map(statement => {
        const space = statement.indexOf(' ');
        return `${statement.slice(0, space)} ${canonicalJson(JSON.parse(statement.slice(space)))}`;
      });
    const steps = await run(index, 'install', said);
    const during = written.length;
    goesOn = false;
    await Promise.all(writers);
    expect(steps).toEqual(['types', 'index']);
    const sent = proxy.asked.map(({operation, body}) => `${operation} ${canonicalJson(JSON.parse(body))}`);
    for (const statement of shown) expect(sent).toContain(statement);
    expect(said.join()).toContain(`waiting for ${IndexName} to be built`);
    expect(faults).toEqual([]);
    expect(during).toBeGreaterThan(8);
    expect(await connector.guards.state(index)).toEqual({state: 'installed', why: null});
    const ids = (await scanTable(client, table)).map(item => item.sessionId!.S!);
    expect(new Set(ids)).toEqual(new Set([...rows.map(row => row.sessionId!.S!), ...written]));
    for (let writer = 0; writer < 8; writer++) {
      const count = written.filter(id => id.startsWith(`w${writer}-`)).length;
      await expect.poll(() => byIndex(`hot${writer}`)).toBe(count);
    }
    expect(await byIndex('a7')).toBe(2);
    expect(await run(index, 'install')).toEqual([]);
    expect(await run(index, 'uninstall')).toEqual(['index']);
    expect(await connector.guards.state(index)).toEqual({state: 'missing', why: null});
    expect(await run(index, 'uninstall')).toEqual([]);
    expect(await catalogue()).toBe(before);
  });

  test('the check reads the index instead of the table, finds the same, and decides by the table', async () => {
    const scans = () =>
      proxy.asked
        .filter(({operation}) => operation === 'Scan')
        .map(({body}) => JSON.parse(body) as {TableName: string; IndexName?: string})
        .filter(({TableName}) => TableName === table)
        .map(({IndexName: name}) => name ?? 'table');
    const before = await found();
    expect(before.map(({key}) => key)).toEqual([['a7']]);
    expect(scans()).toEqual(['table']);
    await run(index, 'install');
    proxy.asked.length = 0;
    // Its install has seen that the index leaves no row out.
    expect(await found()).toEqual(before);
    expect(scans()).toEqual([IndexName]);
    // The two rows that were found, and no others, were read from the table.
    const gets = proxy.asked.filter(({operation}) => operation === 'BatchGetItem');
    expect(gets).toHaveLength(1);
    const asked = (JSON.parse(gets[0]!.body) as {RequestItems: Record<string, {Keys: unknown[]}>})
      .RequestItems[table]!.Keys;
    expect(asked).toHaveLength(2);
  });

  test('a row that the index still has and the table does not is no finding', async () => {
    await run(index, 'install');
    expect(await found()).toHaveLength(1);
    // What an index that is behind looks like: the row goes between the look at the index and the table.
    let gone: Promise<unknown> | undefined;
    proxy.throttle = operation => {
      if (operation !== 'BatchGetItem' || gone) return null;
      gone = client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: {sessionId: {S: 'another'}},
          UpdateExpression: 'SET accountId = :a',
          ExpressionAttributeValues: {':a': {S: 'elsewhere'}},
        }),
      );
      // The first try is sent away, so that the row has gone by the second.
      return 'whole';
    };
    expect(await found()).toEqual([]);
    await gone;
  });

  test.each(['ALL', 'INCLUDE'] as const)(
    'an index of another name that does the same counts, and stays (%s)',
    async projection => {
      await update(create('team-index', 'accountId', projection), [['accountId', 'S']]);
      await settled();
      const {state, why} = await connector.guards.state(index);
      expect(state).toBe('installed');
      expect(why).toContain('team-index');
      expect(await run(index, 'install')).toEqual([]);
      expect(await run(index, 'uninstall')).toEqual([]);
      expect((await described()).GlobalSecondaryIndexes).toHaveLength(1);
    },
  );

  test('rows that a team index leaves out are found all the same, and again, and in groups that are asked about', async () => {
    const ids = ['x', 'y', 'n', 'm'];
    await makeTable(
      client,
      table,
      {sessionId: 'S'},
      ids.map((id, i) => ({...session(id, 'x'), ...(i > 1 && {accountId: {N: '5'}})})),
    );
    const before = await found();
    expect(before.map(({rows: {length}}) => length)).toEqual([2, 2]);
    await update(create('team-index', 'accountId', 'ALL'), [['accountId', 'S']]);
    await settled();
    await connector.close();
    connector = open();
    for (let time = 0; time < 2; time++) expect(await found()).toEqual(before);
    const only = before.flatMap(({rows: members}) => members.map(({identity}) => identity));
    const {found: again} = await connector.survey(form, {
      now: Date.parse('2026-11-21') * 1000,
      offset: 0,
      limit: 10,
      only,
    });
    expect(again).toEqual(before);
    const {state, why} = await connector.guards.state(index);
    expect(state).toBe('installed');
    expect(why).toContain(
      'it leaves out rows whose accountId is not S: the 4 rows that were looked at have N (2)',
    );
  });

  test('an index of the same name on something else is told and left alone', async () => {
    await update(create(IndexName, 'deviceId'), [['deviceId', 'S']]);
    await settled();
    expect(await connector.guards.state(index)).toEqual({
      state: 'drifted',
      why: `the key of ${IndexName} is deviceId, not accountId`,
    });
    expect(await codeOf(run(index, 'install'))).toBe('unsupported');
    expect(await run(index, 'uninstall')).toEqual([]);
    for (const direction of ['install', 'uninstall'] as const) {
      const script = await connector.guards.script([named[0]!], direction, {whole: false});
      expect(await runScript(script, server.endpoint)).toEqual({code: 0, stdout: '', stderr: ''});
    }
    expect((await described()).GlobalSecondaryIndexes).toHaveLength(1);
  });

  test('an index with too little in it counts, and says what the check reads the table for', async () => {
    await update(create(IndexName, 'accountId'), [['accountId', 'S']]);
    await settled();
    const {state, why} = await connector.guards.state(index);
    expect(state).toBe('installed');
    expect(why).toContain('lacks updatedAt, createdAt');
    expect((await found()).map(({key}) => key)).toEqual([['a7']]);
  });

  test('an install that was killed while the index is built is waited for by the next, and can be taken back', async () => {
    const steps = await connector.guards.steps(index, 'install', {before: null});
    const building = steps.at(-1)!;
    const stop = new AbortController();
    const stopped = connector.guards.perform(index, 'install', building, {
      before: null,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    // An emulator may build the index before anybody has to wait for it.
    const code = await stopped.catch(error => error.code);
    expect(['interrupted', 'done']).toContain(code);
    const next = open();
    const {state} = await next.guards.state(index);
    expect(['drifted', 'installed']).toContain(state);
    for (const step of await next.guards.steps(index, 'install', {before: null}))
      await next.guards.perform(index, 'install', step, {before: null});
    expect(await next.guards.state(index)).toEqual({state: 'installed', why: null});
    for (const step of await next.guards.steps(index, 'uninstall', {before: null}))
      await next.guards.perform(index, 'uninstall', step, {before: null});
    expect((await described()).GlobalSecondaryIndexes ?? []).toEqual([]);
    await next.close();
  });

  test('an uninstall waits for an index that is being built, and an install for one that is being removed', async () => {
    const [, building] = await connector.guards.steps(index, 'install', {before: null});
    const said: string[] = [];
    const installing = connector.guards.perform(index, 'install', building!, {
      before: null,
      onProgress: text => said.push(text),
    });
    await expect.poll(() => connector.guards.state(index).then(({state}) => state)).not.toBe('missing');
    await run(index, 'uninstall');
    // Whichever came last has won, and neither has failed.
    await installing;
    await run(index, 'install');
    expect(await connector.guards.state(index)).toEqual({state: 'installed', why: null});
  });

  test('a limited rate is waited for', async () => {
    let refused = 0;
    proxy.throttle = operation => (operation === 'UpdateTable' && refused++ < 2 ? 'whole' : null);
    expect(await run(index, 'install')).toEqual(['types', 'index']);
    expect(refused).toBeGreaterThan(2);
    expect(await connector.guards.state(index)).toEqual({state: 'installed', why: null});
  });

  test('a key of several types, of none that is known, or of none that an index takes is unavailable', async () => {
    const words = async (items: RawItem[]): Promise<string> => {
      await makeTable(client, table, {sessionId: 'S'}, items);
      const fresh = open();
      const {state, why} = await fresh.guards.state(index);
      await fresh.close();
      return `${state}: ${why}`;
    };
    const of = (...accountIds: RawItem[string][]): RawItem[] =>
      accountIds.map((accountId, i) => ({sessionId: {S: `s${i}`}, accountId}));
    expect(await words(of({S: 'a'}, {S: 'b'}, {N: '1'}))).toContain(
      'unavailable: an index takes one type of accountId only, S, N or B and not empty; the 3 rows that were looked at have S (2), N (1)',
    );
    expect(await words(of({SS: ['a']}))).toContain('have SS (1)');
    expect(await words(of({S: ''}, {S: 'a'}))).toContain('empty S (1)');
    expect(await words([{sessionId: {S: 's'}}])).toContain('unavailable: its type is not known');
    expect(await words(of({N: '1'}, {NULL: true}))).toBe('missing: null');
  });

  test('on an empty table the key is taken to be text, and it is said that this is a guess', async () => {
    await makeTable(client, table, {sessionId: 'S'}, []);
    const guess = `${table} is empty: accountId is taken to be text (S)`;
    expect(await connector.guards.state(index)).toEqual({state: 'missing', why: guess});
    const steps = await connector.guards.steps(index, 'install', {before: null});
    expect(steps.at(-1)!.text).toContain(guess);
    expect(await connector.guards.script([named[0]!], 'install', {whole: false})).toContain(`# ${guess}.`);
    await run(index, 'install');
    expect(await connector.guards.state(index)).toEqual({state: 'installed', why: null});
  });

  test('what the first thousand rows do not show is found before anything is built', async () => {
    const many = Array.from({length: 1100}, (_, i) => ({sessionId: {S: `s${i}`}, accountId: {S: `a${i}`}}));
    await makeTable(client, table, {sessionId: 'S'}, many);
    const {sessionId} = (await scanTable(client, table)).at(-1)!;
    await client.send(
      new PutItemCommand({TableName: table, Item: {sessionId: sessionId!, accountId: {N: '7'}}}),
    );
    expect(await connector.guards.state(index)).toEqual({state: 'missing', why: null});
    const fault = await faultOf(run(index, 'install'));
    expect(fault.code).toBe('unsupported');
    expect(fault.message).toBe(
      `An index on accountId (S) of ${table} would not hold every row: some have N (1).`,
    );
    expect((await described()).GlobalSecondaryIndexes ?? []).toEqual([]);
  });

  test('the other rules, and groups that no index can have, are refused with a reason', async () => {
    const {refuses, state} = connector.guards;
    expect(refuses(ruleOf('unique'))).toContain('no unique constraint');
    expect(refuses({rule: 'sorted', table, columns: ['a']})).toContain('no triggers');
    expect(refuses({rule: 'index', table, columns: ['a', 'b', 'c']})).toContain('one or two attributes');
    expect(refuses({rule: 'index', table, columns: ['a.b']})).toContain('a.b is inside one');
    expect(refuses(index)).toBeNull();
    expect(await state({rule: 'index', table: 'nowhere', columns: ['a']})).toMatchObject({
      state: 'unavailable',
    });
    expect(await state({rule: 'index', table, columns: ['sessionId']})).toMatchObject({state: 'installed'});
    expect(refuses(writePath)).toBeNull();
    expect((await state(writePath)).state).toBe('unavailable');
    expect((await state(writePath)).why).toContain('upsertSession');
    expect(await codeOf(connector.guards.steps(writePath, 'install', {before: null}))).toBe('unsupported');
    expect(await connector.guards.steps(writePath, 'uninstall', {before: null})).toEqual([]);
  });

  test('a connector that only reads changes nothing', async () => {
    const before = await catalogue();
    const reader = open({readOnly: true});
    const steps = await reader.guards.steps(index, 'install', {before: null});
    expect(await codeOf(reader.guards.perform(index, 'install', steps[1]!, {before: null}))).toBe(
      'read-only',
    );
    const proving = async () => {
      for await (const _ of reader.guards.prove(named)) throw new Error('it was proved');
    };
    expect(await codeOf(proving())).toBe('read-only');
    expect(await catalogue()).toBe(before);
    await reader.close();
  });

  const tables = async () => (await client.send(new ListTablesCommand({}))).TableNames!.sort();

  test('each guard is proved on scratch tables, which are gone afterwards, as are those of killed tests', async () => {
    const before = await tables();
    const hoursAgo = scratchName(Date.now() - 2 * 3_600_000);
    await makeTable(client, hoursAgo, {id: 'S'}, []);
    const proofs: Proof[] = [];
    for await (const proof of connector.guards.prove(named)) proofs.push(proof);
    expect(proofs.filter(({passed}) => !passed)).toEqual([]);
    expect(proofs.map(({guard}) => guard)).toEqual([
      ...Array.from({length: 3}, () => 'account-index'),
      ...Array.from({length: 5}, () => 'write-path'),
    ]);
    expect(await tables()).toEqual(before);
  });

  test('scratch tables are dropped when a proof is stopped half-way', async () => {
    const before = await tables();
    for await (const {passed} of connector.guards.prove(named)) {
      expect(passed).toBe(true);
      break;
    }
    expect(await tables()).toEqual(before);
  });

  test('the script adds the index without sesstui, twice, and takes it away, twice', async () => {
    const before = await catalogue();
    const up = await connector.guards.script(named, 'install', {whole: false});
    const down = await connector.guards.script(named, 'uninstall', {whole: false});
    for (let time = 0; time < 2; time++) {
      expect(await runScript(up, server.endpoint)).toMatchObject({code: 0, stderr: ''});
      expect(await connector.guards.state(index)).toEqual({state: 'installed', why: null});
    }
    for (let time = 0; time < 2; time++)
      expect(await runScript(down, server.endpoint)).toMatchObject({code: 0, stderr: ''});
    expect(await catalogue()).toBe(before);
  });

  test('the script counts the rows that the index would leave out, and stops there', async () => {
    const script = await connector.guards.script([named[0]!], 'install', {whole: false});
    const long = 'x'.repeat(2049);
    for (const [id, accountId] of Object.entries({
      number: {N: '5'},
      empty: {S: ''},
      long: {S: long},
      nothing: {NULL: true},
    }))
      await client.send(
        new PutItemCommand({TableName: table, Item: {sessionId: {S: id}, accountId: accountId as never}}),
      );
    const {code, stderr} = await runScript(script, server.endpoint);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^3 rows of guarded-sessions have another type of accountId \(S\)/);
    expect((await described()).GlobalSecondaryIndexes ?? []).toEqual([]);
  });

  test("the script's write path writes a row once, and the account's reference in either form", async () => {
    await makeTable(client, accounts, {accountId: 'S'}, [
      {accountId: {S: 'b1'}, session: {M: {sessionId: {S: 'old'}, since: {S: 'then'}}}},
    ]);
    const up = await connector.guards.script([named[1]!], 'install', {whole: false});
    const name = `o'"$(touch x)\\ü`;
    for (const accountId of ['b1', 'b1', name, name])
      expect(await runScript(up, server.endpoint, ['upsert', accountId])).toMatchObject({code: 0});
    const items = await scanTable(client, table);
    const written = items.filter(({accountId}) => [name, 'b1'].includes(accountId?.S ?? ''));
    expect(written.map(({sessionId}) => sessionId!.S).sort()).toEqual([`sess_${name}`, 'sess_b1'].sort());
    for (const {createdAt, updatedAt} of written) expect(updatedAt!.S! >= createdAt!.S!).toBe(true);
    const referring = await scanTable(client, accounts);
    expect(referring.find(({accountId}) => accountId!.S === 'b1')!.session).toEqual({
      M: {sessionId: {S: 'sess_b1'}, since: {S: 'then'}},
    });
    expect(referring.find(({accountId}) => accountId!.S === name)!.session).toEqual({S: `sess_${name}`});
  });

  test('a table with provisioned units gives them to its index', async () => {
    await dropTable(client, table);
    const units = {ReadCapacityUnits: 5, WriteCapacityUnits: 4};
    await client.send(
      new CreateTableCommand({
        TableName: table,
        AttributeDefinitions: [{AttributeName: 'sessionId', AttributeType: 'S'}],
        KeySchema: [{AttributeName: 'sessionId', KeyType: 'HASH'}],
        ProvisionedThroughput: units,
      }),
    );
    await settled();
    await client.send(new PutItemCommand({TableName: table, Item: session('s1', 'a1')}));
    const before = await catalogue();
    await run(index, 'install');
    const [update] = proxy.asked.filter(({operation}) => operation === 'UpdateTable');
    const {GlobalSecondaryIndexUpdates} = JSON.parse(update!.body) as UpdateTableCommandInput;
    expect(GlobalSecondaryIndexUpdates![0]!.Create!.ProvisionedThroughput).toEqual(units);
    await run(index, 'uninstall');
    expect(await catalogue()).toBe(before);
  });
});

test('every finding of the demo is the same by the index as by the table', async () => {
  const front = await startDynamodbFront({indexMs: 50});
  const client = demoDynamodbClient(front.endpoint);
  const connector = openDynamodb({...settings, endpoint: front.endpoint});
  try {
    const now = Date.parse('2026-11-21T12:00:00Z');
    await seedKite(client, {seed: 1, rows: 300, now});
    const kite = {
      ...check,
      table: 'kite-sessions',
      referencedBy: {...check.referencedBy, table: 'kite-accounts'},
    };
    const of = {
      [kite.table]: (await connector.describe(kite.table))!,
      'kite-accounts': (await connector.describe('kite-accounts'))!,
    };
    const findings = () =>
      Promise.all(
        duplicates
          .parts(kite as never, of)
          .map(part => connector.survey(part.form, {now: now * 1000, offset: 0, limit: 5000})),
      );
    const before = await findings();
    expect(before.map(({total}) => total)).toEqual([expect.any(Number), 7, 3]);
    expect(before[0]!.total).toBeGreaterThan(30);
    const {rule} = duplicatesGuards(kite as never, of).find(({name}) => name === 'account-index')!;
    for (const step of await connector.guards.steps(rule, 'install', {before: null})) {
      await connector.guards.perform(rule, 'install', step, {before: null});
    }
    expect(await connector.guards.state(rule)).toEqual({state: 'installed', why: null});
    expect(await findings()).toEqual(before);
  } finally {
    await connector.close();
    client.destroy();
    await front.close();
  }
});

test('the script ends when somebody removes the index that it waits for', async () => {
  const front = await startDynamodbFront({indexMs: 3000});
  const client = rawClient(front.endpoint);
  const connector = openDynamodb({...settings, endpoint: front.endpoint});
  try {
    await makeTable(client, table, {sessionId: 'S'}, rows.slice(0, 3));
    const script = await connector.guards.script([named[0]!], 'install', {whole: false});
    const removal = JSON.stringify([{Delete: {IndexName}}]);
    // What somebody else does while the script sleeps for the first time; it can't sleep for ever here.
    const meanwhile = [
      'naps=$((naps + 1)); if [ "$naps" -gt 500 ]; then exit 7; fi;',
      `if [ "$naps" = 1 ]; then until aws dynamodb update-table --table-name ${table}`,
      `--global-secondary-index-updates '${removal}' >/dev/null 2>&1; do sleep 0.05; done; fi; sleep 0.05`,
    ].join(' ');
    const {code, stderr} = await runScript(
      `naps=0\n${script}`.replaceAll(/sleep "\$\{WAIT_SECONDS:-5\}"/g, () => meanwhile),
      front.endpoint,
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining('somebody has removed it')]);
  } finally {
    await connector.close();
    client.destroy();
    await front.close();
  }
});

test('only scratch tables of more than an hour ago are left over', () => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  expect(isLeftover(scratchName(now - 3_700_000), now)).toBe(true);
  expect(isLeftover(scratchName(now - 60_000), now)).toBe(false);
  expect(isLeftover('sesstui_test_results', now)).toBe(false);
});
