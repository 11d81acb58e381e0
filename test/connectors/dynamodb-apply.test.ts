import {createServer, request} from 'node:http';
import type {AddressInfo} from 'node:net';
import {type DynamoDBClient, PutItemCommand, UpdateItemCommand} from '@aws-sdk/client-dynamodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {openDynamodb} from '../../connectors/dynamodb/index.js';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Change, Connector, Identity, KeepRule, Outcome, Row, Unit} from '../../source/connector.js';
import type {Pred} from '../../source/forms.js';
import {
  type DynamodbServer,
  dynamodbServers,
  makeTable,
  type RawItem,
  rawClient,
  scanTable,
} from '../support/dynamodb.js';

const settings = {
  store: 'kite',
  environment: 'test',
  timeoutMs: 20_000,
  readOnly: false,
  region: 'eu-west-1',
};
const sessions = 'kite-sessions';
const accounts = 'kite-accounts';

const identity = (id: string, key = 'sessionId'): Identity => ({by: 'key', at: {[key]: {S: id}}});
const session = (id: string, accountId: string, updatedAt: string, more: RawItem = {}): RawItem => ({
  sessionId: {S: id},
  accountId: {S: accountId},
  updatedAt: {S: updatedAt},
  device: {S: 'Pixel 9'},
  ...more,
});
const latest: KeepRule = {
  by: 'latest',
  latestBy: ['updatedAt'],
  canonicalId: 'sess_{accountId}',
  idAttribute: 'sessionId',
  zone: 'UTC',
};
const oldest: KeepRule = {by: 'first'};
const inAccount = (accountId: string): Pred => ({all: [{in: [accountId], of: {attr: 'accountId'}}]});
const whys = (outcomes: Outcome[]) => outcomes.map(one => (one.result === 'skipped' ? one.why : one.result));

/** Forwards requests to a server, and drops the connection instead of the answer to the operations that are named. */
const startUnreliableProxy = async (target: string) => {
  let lose: {operation: string; times: number; reach: boolean} = {operation: '', times: 0, reach: true};
  const server = createServer((incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target']).split('.')[1]!;
    const lost = operation === lose.operation && lose.times-- > 0;
    if (lost && !lose.reach) return void outgoing.destroy();
    const onward = request(
      `${target}${incoming.url}`,
      {method: incoming.method, headers: incoming.headers},
      answer => {
        if (lost) return void answer.resume().on('end', () => outgoing.destroy());
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** `reach`: the lost requests get to the server all the same. */
    lose: (operation: string, times: number, reach = true) => {
      lose = {operation, times, reach};
    },
    close: () => {
      server.closeAllConnections();
      return new Promise(resolve => server.close(resolve));
    },
  };
};

for (const server of dynamodbServers())
  describe(`applying to ${server.name}`, () => {
    let running: DynamodbServer;
    let client: DynamoDBClient;
    let connector: Connector;
    let proxy: Awaited<ReturnType<typeof startUnreliableProxy>>;
    let shaky: Connector;

    beforeAll(async () => {
      running = await server.start();
      client = rawClient(running.endpoint);
      connector = openDynamodb({...settings, endpoint: running.endpoint});
      proxy = await startUnreliableProxy(running.endpoint);
      shaky = openDynamodb({...settings, endpoint: proxy.endpoint});
    });
    afterAll(async () => {
      await Promise.all([connector?.close(), shaky?.close(), proxy?.close()]);
      client?.destroy();
      await running?.stop();
    });
    beforeEach(async () => {
      proxy.lose('', 0);
      await makeTable(client, sessions, {sessionId: 'S'}, [
        session('a', 'acc-1', '2026-11-01T10:00:00Z'),
        session('b', 'acc-1', '2026-11-02T10:00:00Z'),
        session('c', 'acc-1', '2026-11-03T10:00:00Z', {
          scopes: {SS: ['read', 'write']},
          seal: {B: new Uint8Array([7])},
        }),
      ]);
      await makeTable(client, accounts, {accountId: 'S'}, [
        {accountId: {S: 'acc-1'}, session: {M: {sessionId: {S: 'a'}, since: {N: '1763690000'}}}},
      ]);
    });

    const rows = async (ids: string[], table = sessions, key = 'sessionId'): Promise<Row[]> => {
      const found = await connector.fetch(
        table,
        ids.map(id => identity(id, key)),
      );
      return found.map(row => row!);
    };
    const seen = ({table, identity: who, version, image}: Row) => ({
      table,
      identity: who,
      version: version!,
      image: image!,
    });
    const remove = (row: Row): Change => ({...seen(row), op: 'delete'});
    const ids = async (): Promise<string[]> =>
      (await scanTable(client, sessions)).map(item => item.sessionId!.S!).sort();
    const poke = (id: string, attribute: string, value: string) =>
      client.send(
        new UpdateItemCommand({
          TableName: sessions,
          Key: {sessionId: {S: id}},
          UpdateExpression: 'SET #a = :v',
          ExpressionAttributeNames: {'#a': attribute},
          ExpressionAttributeValues: {':v': {S: value}},
        }),
      );
    const group = (keep: KeepRule, keeper: string | null, accountId = 'acc-1'): Unit['group'] => ({
      table: sessions,
      where: inAccount(accountId),
      keep,
      keeper: keeper === null ? null : identity(keeper),
    });
    const apply = async (unit: Unit, on: Connector = connector): Promise<Outcome[]> =>
      (await on.apply([unit], {decideKeeper}))[0]!;
    const single = (change: Change, on?: Connector) => apply({group: null, changes: [change]}, on);

    test('deletes, updates and inserts, and takes it all back', async () => {
      const before = await scanTable(client, sessions);
      const [a, b, c] = await rows(['a', 'b', 'c']);
      const set = {device: {value: 'iPad'}, updatedAt: {now: true as const}, scopes: {remove: true as const}};
      const [gone, changed, added] = (
        await connector.apply(
          [
            {group: null, changes: [remove(a!)]},
            {group: null, changes: [{...seen(c!), op: 'update', set}]},
            {
              group: null,
              changes: [
                {
                  table: sessions,
                  identity: {by: 'key', at: {}},
                  op: 'insert',
                  version: null,
                  from: b!.image!,
                  set: {sessionId: {value: 'd'}},
                },
              ],
            },
          ],
          {decideKeeper},
        )
      ).flat();
      expect(gone).toEqual({result: 'applied', after: null});
      const after = changed!.result === 'applied' ? changed!.after! : undefined;
      const [now] = await rows(['c']);
      expect(after).toMatchObject({identity: now!.identity, version: now!.version, values: {device: 'iPad'}});
      expect(now!.values.updatedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(await ids()).toEqual(['b', 'c', 'd']);
      const inserted = added!.result === 'applied' ? added!.after! : undefined;
      const back = await connector.apply(
        [
          {
            group: null,
            changes: [{table: sessions, identity: a!.identity, op: 'insert', version: null, row: a!.image!}],
          },
          {group: null, changes: [{...seen(now!), op: 'update', to: c!.image!}]},
          {
            group: null,
            changes: [
              {
                table: sessions,
                op: 'delete',
                identity: inserted!.identity,
                version: inserted!.version,
                image: inserted!.image,
              },
            ],
          },
        ],
        {decideKeeper},
      );
      expect(back.flat().map(one => one.result)).toEqual(['applied', 'applied', 'applied']);
      const order = (items: RawItem[]) => items.sort((x, y) => (x.sessionId!.S! < y.sessionId!.S! ? -1 : 1));
      expect(order(await scanTable(client, sessions))).toEqual(order(before));
    });

    test('skips what is changed, gone, there already, or not so any more', async () => {
      const [a, b, c] = await rows(['a', 'b', 'c']);
      await poke('a', 'extra', 'someone else was here');
      await single(remove(b!));
      const still: Pred = {in: ['acc-2'], of: {attr: 'accountId'}};
      const outcomes = await connector.apply(
        [
          {group: null, changes: [remove(a!)]},
          {group: null, changes: [{...seen(b!), op: 'update', set: {device: {value: 'iPad'}}}]},
          {
            group: null,
            changes: [{table: sessions, identity: c!.identity, op: 'insert', version: null, row: c!.image!}],
          },
          {group: null, changes: [{...remove(c!), still}]},
          {group: null, changes: [{...remove(c!), skip: 'protected'}]},
        ],
        {decideKeeper},
      );
      expect(whys(outcomes.flat())).toEqual(['changed', 'gone', 'exists', 'no-longer', 'protected']);
      expect(await ids()).toEqual(['a', 'c']);
    });

    test('judges a partner as it is when the change is made', async () => {
      const [a, c] = await rows(['a', 'c']);
      const still: Pred = {
        no: {
          partner: {table: accounts, on: [[{attr: 'sessionId'}, {first: ['session', 'session.sessionId']}]]},
        },
      };
      expect(whys(await single({...remove(a!), still}))).toEqual(['no-longer']);
      expect(whys(await single({...remove(c!), still}))).toEqual(['applied']);
    });

    test("a required change that can't be made takes its unit along", async () => {
      const [a, b] = await rows(['a', 'b']);
      await poke('a', 'device', 'Fairphone');
      const outcomes = await apply({group: null, changes: [{...remove(a!), required: true}, remove(b!)]});
      expect(whys(outcomes)).toEqual(['changed', 'changed']);
      expect(await ids()).toEqual(['a', 'b', 'c']);
    });

    test('decides the keeper again, among all rows of the group', async () => {
      const [a, b] = await rows(['a', 'b']);
      await poke('c', 'updatedAt', '2026-10-01T10:00:00Z');
      expect(whys(await apply({group: group(latest, 'c'), changes: [remove(a!), remove(b!)]}))).toEqual([
        'applied',
        'keeper',
      ]);
      expect(await ids()).toEqual(['b', 'c']);
    });

    test('never deletes the last row of a group, unless none has to stay', async () => {
      const [a, b, c] = await rows(['a', 'b', 'c']);
      await single(remove(b!));
      await single(remove(c!));
      expect(whys(await apply({group: group(latest, 'c'), changes: [remove(a!), remove(b!)]}))).toEqual([
        'last-of-group',
        'gone',
      ]);
      expect(whys(await apply({group: group({by: 'none'}, null), changes: [remove(a!)]}))).toEqual([
        'applied',
      ]);
    });

    test('repoints a reference with the delete, and not to a keeper that has gone', async () => {
      const [a, c] = await rows(['a', 'c']);
      const repoint = async (): Promise<Change> => {
        const [account] = await rows(['acc-1'], accounts, 'accountId');
        return {...seen(account!), op: 'update', required: true, set: {'session.sessionId': {value: 'c'}}};
      };
      const changes = [remove(a!), await repoint()];
      expect(whys(await apply({group: group(latest, 'c'), changes}))).toEqual(['applied', 'applied']);
      expect((await scanTable(client, accounts))[0]!.session).toEqual({
        M: {sessionId: {S: 'c'}, since: {N: '1763690000'}},
      });
      await single(remove(c!));
      await client.send(
        new PutItemCommand({TableName: sessions, Item: session('a', 'acc-1', '2026-11-01T10:00:00Z')}),
      );
      const again = [remove((await rows(['a']))[0]!), await repoint()];
      expect(whys(await apply({group: group(latest, 'c'), changes: again}))).toEqual(['keeper', 'keeper']);
      expect(await ids()).toEqual(['a', 'b']);
    });

    test('moves a row to another key and deletes the others in one transaction', async () => {
      const [a, b, c] = await rows(['a', 'b', 'c']);
      const insert: Change = {
        table: sessions,
        identity: {by: 'key', at: {}},
        op: 'insert',
        version: null,
        from: c!.image!,
        set: {sessionId: {value: 'sess_acc-1'}},
        required: true,
      };
      const unit: Unit = {
        group: group({by: 'none'}, null),
        changes: [insert, remove(a!), remove(b!), {...remove(c!), required: true}],
      };
      await poke('c', 'device', 'Fairphone');
      expect(whys(await apply(unit))).toEqual(['changed', 'changed', 'changed', 'changed']);
      const [moved] = await rows(['c']);
      unit.changes[0] = {...insert, from: moved!.image!} as Change;
      unit.changes[3] = {...remove(moved!), required: true};
      expect(whys(await apply(unit))).toEqual(['applied', 'applied', 'applied', 'applied']);
      expect(await ids()).toEqual(['sess_acc-1']);
      expect(whys(await apply(unit))).toEqual(['exists', 'gone', 'gone', 'gone']);
    });

    test('cleans a group that is larger than a transaction', async () => {
      const many = Array.from({length: 230}, (_, i) =>
        session(`s-${String(i).padStart(3, '0')}`, 'acc-9', new Date(1.76e12 + i * 1000).toISOString()),
      );
      await makeTable(client, sessions, {sessionId: 'S'}, many);
      const all = await rows(many.map(item => item.sessionId!.S!));
      const outcomes = await apply({
        group: group(latest, 's-229', 'acc-9'),
        changes: all.slice(0, 229).map(remove),
      });
      expect(new Set(outcomes.map(one => one.result))).toEqual(new Set(['applied']));
      expect(await ids()).toEqual(['s-229']);
    });

    test('two operators with opposite rules, at once, leave a row in every group', async () => {
      const names = Array.from({length: 12}, (_, i) => `acc-${i}`);
      // With two rows nothing but the check of the keeper stands between the operators.
      const members = (i: number) => (i % 2 ? ['a', 'b', 'c'] : ['a', 'b']);
      const items = names.flatMap((name, i) =>
        members(i).map((id, n) => session(`${name}-${id}`, name, new Date(1.76e12 + n * 1000).toISOString())),
      );
      await makeTable(client, sessions, {sessionId: 'S'}, items, {accountId: 'S'});
      const all = await rows(items.map(item => item.sessionId!.S!));
      const units = (rule: KeepRule): Unit[] =>
        names.map(name => {
          const members = all.filter(row => row.values.accountId === name);
          const keeper = members[decideKeeper(rule, members)]!;
          return {
            group: group(rule, String(keeper.values.sessionId), name),
            changes: members.filter(row => row !== keeper).map(remove),
          };
        });
      const other = openDynamodb({...settings, endpoint: running.endpoint});
      const results = await Promise.all([
        connector.apply(units(latest), {decideKeeper}),
        other.apply(units(oldest), {decideKeeper}),
      ]);
      await other.close();
      const left = await scanTable(client, sessions);
      expect(new Set(left.map(item => item.accountId!.S!)).size).toBe(names.length);
      const applied = results.flat(2).filter(one => one.result === 'applied').length;
      expect(applied).toBe(items.length - left.length);
    });

    test('a row wider than an expression can name is still only deleted as it was seen', async () => {
      const wide = Object.fromEntries(Array.from({length: 400}, (_, i) => [`field${i}`, {S: `value ${i}`}]));
      await client.send(
        new PutItemCommand({
          TableName: sessions,
          Item: session('wide', 'acc-2', '2026-11-01T10:00:00Z', wide),
        }),
      );
      const [row] = await rows(['wide']);
      await poke('wide', 'field399', 'other');
      expect(whys(await single(remove(row!)))).toEqual(['changed']);
      expect(whys(await single(remove((await rows(['wide']))[0]!)))).toEqual(['applied']);
    });

    test('finds out what a write without an answer did, and writes nothing twice', async () => {
      const [a, b, c] = await rows(['a', 'b', 'c']);
      proxy.lose('DeleteItem', 1);
      expect(whys(await single(remove(a!), shaky))).toEqual(['applied']);
      proxy.lose('UpdateItem', 1, false);
      expect(whys(await single({...seen(b!), op: 'update', set: {device: {value: 'iPad'}}}, shaky))).toEqual([
        'failed',
      ]);
      proxy.lose('TransactWriteItems', 1);
      const [account] = await rows(['acc-1'], accounts, 'accountId');
      const changes: Change[] = [remove(b!), {...seen(account!), op: 'update', set: {session: {value: 'c'}}}];
      expect(whys(await apply({group: group(latest, 'c'), changes}, shaky))).toEqual(['applied', 'applied']);
      proxy.lose('TransactWriteItems', 99, false);
      const [later] = await rows(['acc-1'], accounts, 'accountId');
      const more: Change[] = [remove(c!), {...seen(later!), op: 'update', set: {session: {remove: true}}}];
      expect(whys(await apply({group: null, changes: more}, shaky))).toEqual(['failed', 'failed']);
      expect(await ids()).toEqual(['c']);
    });

    test('throws before anything was written when the server is not there', async () => {
      const nobody = openDynamodb({...settings, endpoint: 'http://127.0.0.1:9'});
      const [a] = await rows(['a']);
      await expect(
        nobody.apply([{group: null, changes: [remove(a!)]}], {decideKeeper}),
      ).rejects.toMatchObject({code: 'unreachable'});
      await nobody.close();
    });
  });
