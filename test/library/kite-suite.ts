/** The login's function on a DynamoDB server: one after another, and many at once with a writer from outside. */
import {
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {upsertSession} from '../../source/library/kite.js';
import {
  type DynamodbServer,
  type DynamodbServerKind,
  makeTable,
  type RawItem,
  rawClient,
  scanTable,
} from '../support/dynamodb.js';
import {type Opened, openContext} from '../support/library-context.js';
import {codeOf} from '../support/rejections.js';
import {startThrottlingProxy, type ThrottlingProxy} from '../support/throttling-proxy.js';

const sessions = 'kite-sessions';
const accounts = 'kite-accounts';

const configuration = (endpoint: string, more: object = {}) => ({
  stores: {
    kite: {
      kind: 'dynamodb',
      region: 'eu-west-1',
      endpoint,
      checks: [
        {
          check: 'duplicates',
          table: sessions,
          groupBy: ['accountId'],
          latestBy: ['updatedAt', 'createdAt'],
          canonicalId: 'sess_{accountId}',
          referencedBy: {table: accounts, key: 'accountId', attribute: 'session'},
          ...more,
        },
      ],
    },
  },
});

type Part = {TableName: string; UpdateExpression?: string; ExpressionAttributeNames?: Record<string, string>};

/** The updates that a request holds: of which table, and the names that they set or remove. */
const updatesIn = ({
  operation,
  body,
}: {
  operation: string;
  body: string;
}): {table: string; names: string[]}[] => {
  const request = JSON.parse(body);
  const parts: Part[] =
    operation === 'TransactWriteItems'
      ? request.TransactItems.flatMap((item: Record<string, Part>) => Object.values(item))
      : [request];
  return parts.flatMap(({TableName: table, UpdateExpression: text, ExpressionAttributeNames: names}) =>
    text ? [{table, names: (text.match(/#\w+/g) ?? []).map(placeholder => names![placeholder]!)}] : [],
  );
};

export const kiteSuite = ({name, start}: DynamodbServerKind, callers: number): void => {
  describe(`upsertSession on ${name}`, () => {
    let server: DynamodbServer;
    let proxy: ThrottlingProxy;
    let client: DynamoDBClient;
    let opened: Opened;
    beforeAll(async () => {
      server = await start();
      client = rawClient(server.endpoint);
      proxy = await startThrottlingProxy(server.endpoint);
    });
    afterAll(async () => {
      client?.destroy();
      await proxy?.stop();
      await server?.stop();
    });
    const fill = async (items: RawItem[], others: RawItem[]) => {
      await makeTable(client, sessions, {sessionId: 'S'}, items);
      await makeTable(client, accounts, {accountId: 'S'}, others);
    };
    beforeEach(async () => {
      proxy.throttle = () => null;
      proxy.asked.length = 0;
      await fill([], []);
      opened = await openContext(configuration(proxy.endpoint));
    });
    afterEach(() => opened.close());
    const upsert = (more: object = {}) => upsertSession(opened.context, {accountId: 'a1', ...more});
    const rows = () => scanTable(client, sessions);

    test('a number that is none, and a name inside the key, are wrong usage', async () => {
      expect(await codeOf(upsertSession(opened.context, {accountId: Number.NaN}))).toBe('usage');
      expect(await codeOf(upsert({'sessionId.x': 1}))).toBe('usage');
      expect(await rows()).toEqual([]);
    });

    test('makes the session under the canonical id, and the account that refers to it', async () => {
      const {created, session} = await upsert({ip: '10.0.0.1', device: {os: 'x'}, trusted: undefined});
      expect(created).toBe(true);
      expect(session).toMatchObject({
        sessionId: 'sess_a1',
        accountId: 'a1',
        ip: '10.0.0.1',
        device: {os: 'x'},
      });
      expect(session).not.toHaveProperty('trusted');
      for (const column of ['createdAt', 'updatedAt'])
        expect(Math.abs(Date.parse(session[column] as string) - Date.now())).toBeLessThan(60_000);
      expect(await scanTable(client, accounts)).toEqual([{accountId: {S: 'a1'}, session: {S: 'sess_a1'}}]);
      expect(opened.logged.map(({level}) => level)).toEqual(['debug']);
    });

    test('twice is one row: createdAt and what is not given are kept, updatedAt is bumped in its own format', async () => {
      const old: RawItem = {
        sessionId: {S: 'sess_a1'},
        accountId: {S: 'a1'},
        createdAt: {S: '2025-01-01T00:00:00Z'},
        updatedAt: {N: '1735689600'},
        scopes: {SS: ['a', 'b']},
      };
      await fill([old], []);
      const given = {
        ip: '10.0.0.2',
        createdAt: '2026-01-01T00:00:00Z',
        updatedAt: '2020-01-01',
        scopes: ['c'],
      };
      const first = await upsert(given);
      const second = await upsert(given);
      expect([first.created, second.created]).toEqual([false, false]);
      const found = await rows();
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({createdAt: old.createdAt, ip: {S: '10.0.0.2'}, scopes: {SS: ['c']}});
      expect(Math.abs(Number(found[0]!.updatedAt!.N) - Date.now() / 1000)).toBeLessThan(60);
    });

    test('an account that holds a map keeps its form and the rest of it', async () => {
      await fill(
        [],
        [{accountId: {S: 'a1'}, session: {M: {sessionId: {S: 'old'}, since: {S: 'x'}}}, plan: {S: 'pro'}}],
      );
      await upsert();
      expect(await scanTable(client, accounts)).toEqual([
        {accountId: {S: 'a1'}, session: {M: {sessionId: {S: 'sess_a1'}, since: {S: 'x'}}}, plan: {S: 'pro'}},
      ]);
    });

    test('refuses another key than the canonical one, and an account without an id; writes nothing', async () => {
      expect(await codeOf(upsert({sessionId: 'mine'}))).toBe('usage');
      for (const accountId of ['', ' ', null, undefined, {}])
        expect(await codeOf(upsert({accountId}))).toBe('usage');
      expect(await codeOf(upsert({createdAt: 'yesterday'}))).toBe('usage');
      expect(await codeOf(upsert({run: () => 1}))).toBe('usage');
      expect(await rows()).toEqual([]);
      expect((await upsert({sessionId: 'sess_a1'})).created).toBe(true);
    });

    test('reserved words and names with signs are attributes like others', async () => {
      await upsert({status: 'x', size: 1, 'a b': 2, '#n': 3});
      const {session} = await upsert({status: 'y', 'a b': null});
      expect(session).toMatchObject({status: 'y', size: 1, 'a b': null, '#n': 3});
    });

    test('the key is never among the updates, and a row that is there is never put', async () => {
      await Promise.all(Array.from({length: 5}, (_, n) => upsert({n})));
      await upsert({n: 9});
      const updates = proxy.asked.flatMap(updatesIn);
      const ofSessions = updates.filter(({table}) => table === sessions).flatMap(({names}) => names);
      const ofAccounts = updates.filter(({table}) => table === accounts).flatMap(({names}) => names);
      expect(ofSessions.filter(name => name === 'n').length).toBeGreaterThanOrEqual(5);
      for (const key of ['sessionId', 'createdAt']) expect(ofSessions).not.toContain(key);
      expect(new Set(ofAccounts)).toEqual(new Set(['session']));
      const puts = proxy.asked.filter(({body}) => body.includes('"Put"') || body.includes('"Item"'));
      for (const {body} of puts) expect(body).toContain('attribute_not_exists');
    });

    test('a rate that is limited is waited for', async () => {
      let left = 3;
      proxy.throttle = operation => (operation === 'TransactWriteItems' && left-- > 0 ? 'reason' : null);
      expect((await upsert()).created).toBe(true);
      expect(await rows()).toHaveLength(1);
    });

    test(`${callers} at once, with a writer from outside: one row, made once, and nothing of the other's lost`, async () => {
      const count = async (): Promise<boolean> => {
        const update = new UpdateItemCommand({
          TableName: sessions,
          Key: {sessionId: {S: 'sess_a1'}},
          UpdateExpression: 'ADD requestCount :one',
          ConditionExpression: 'attribute_exists(sessionId)',
          ExpressionAttributeValues: {':one': {N: '1'}},
        });
        return client.send(update).then(
          () => true,
          error => {
            if (['ConditionalCheckFailedException', 'TransactionConflictException'].includes(error.name))
              return false;
            throw error;
          },
        );
      };
      let ended = false;
      let counted = 0;
      const outside = (async () => {
        while (!ended || counted === 0) if (await count()) counted++;
      })();
      const second = await openContext(configuration(server.endpoint));
      const answers = await Promise.all(
        Array.from({length: callers}, (_, n) =>
          upsertSession((n % 2 ? second : opened).context, {accountId: 'a1', [`n${n}`]: n}),
        ),
      );
      ended = true;
      await outside;
      await second.close();
      expect(answers.filter(({created}) => created)).toHaveLength(1);
      const found = await rows();
      expect(found.map(item => item.sessionId!.S)).toEqual(['sess_a1']);
      expect(new Set(answers.map(({session}) => session.createdAt)).size).toBe(1);
      for (let n = 0; n < callers; n++) expect(found[0]![`n${n}`]).toEqual({N: String(n)});
      expect(Number(found[0]!.requestCount!.N)).toBe(counted);
      expect((await scanTable(client, accounts))[0]!.session).toEqual({S: 'sess_a1'});
    });

    test(`${callers} at once while somebody deletes the row: every one is answered, and one row is left at the end`, async () => {
      let ended = false;
      let deleted = 0;
      const remove = new DeleteItemCommand({
        TableName: sessions,
        Key: {sessionId: {S: 'sess_a1'}},
        ReturnValues: 'ALL_OLD',
      });
      const outside = (async () => {
        while (!ended) if ((await client.send(remove).catch(() => null))?.Attributes) deleted++;
      })();
      const answers = await Promise.all(Array.from({length: callers}, (_, n) => upsert({n})));
      ended = true;
      await outside;
      expect(answers).toHaveLength(callers);
      const created = answers.filter(answer => answer.created).length;
      expect(await rows()).toHaveLength(created - deleted);
      await upsert();
      expect(await rows()).toHaveLength(1);
    });

    test(`${callers} accounts at once have a session each; one with an old session keeps it for the check`, async () => {
      await client.send(
        new PutItemCommand({TableName: sessions, Item: {sessionId: {S: 'uuid'}, accountId: {S: 'b0'}}}),
      );
      const ids = Array.from({length: callers}, (_, n) => `b${n}`);
      await Promise.all(ids.map(accountId => upsert({accountId})));
      expect((await rows()).map(item => item.sessionId!.S).sort()).toEqual(
        ['uuid', ...ids.map(id => `sess_${id}`)].sort(),
      );
      const {findings} = await opened.context.engine.check('kite/duplicates');
      expect(findings.map(({group}) => group)).toEqual(['b0']);
    });
  });
};
