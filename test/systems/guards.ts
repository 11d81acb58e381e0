/** `guards test` of every check, on every store that the systems are tested on. */
import {ListTablesCommand} from '@aws-sdk/client-dynamodb';
import {MongoClient} from 'mongodb';
import pg from 'pg';
import {expect, test} from 'vitest';
import type {DemoAddresses} from '../../source/demo/config.js';
import {demoDynamodbClient} from '../../source/demo/seed-load-dynamodb.js';
import type {GuardInfo, Proof} from '../../source/guards.js';
import {catalogueDump} from '../support/catalogue-dump.js';

type Call = <T>(args: string[]) => Promise<{code: number | null; json: T; stderr: string}>;

/** The guards of the contract's table. `absent`: stores of the kind may be unable to have it, and say why. */
const guards: Record<string, {guard: string; absent?: RegExp}[]> = {
  'registry/duplicates': [{guard: 'sort-trigger'}, {guard: 'unique'}],
  'gym/device-sessions': [{guard: 'one-background'}, {guard: 'protect-background'}, {guard: 'row-security'}],
  'rides/stale-sessions': [{guard: 'auto-cancel'}, {guard: 'one-open-session'}],
  'chat/null-ids': [{guard: 'unique-id'}, {guard: 'id-validator', absent: /no collMod/}],
  'kite/duplicates': [{guard: 'account-index'}, {guard: 'write-path', absent: /can't be made to refuse/}],
};

/** Names of all that a scratch copy could have left. */
const namesIn = async (stores: DemoAddresses): Promise<Record<string, unknown>> => {
  const client = new pg.Client(stores.postgres);
  const mongodb = new MongoClient(stores.mongodb);
  const dynamodb = demoDynamodbClient(stores.dynamodb);
  try {
    await client.connect();
    const schemas = await client.query('select nspname::text from pg_namespace order by 1');
    const collections = await mongodb.db('support').listCollections({}, {nameOnly: true}).toArray();
    return {
      schemas: schemas.rows.map(row => row.nspname).filter(name => !/^pg_(toast_)?temp_/.test(name)),
      public: await catalogueDump(client),
      roles: (await client.query('select rolname::text from pg_roles order by 1')).rows,
      collections: collections.map(({name}) => name).sort(),
      tables: (await dynamodb.send(new ListTablesCommand({}))).TableNames,
    };
  } finally {
    await client.end();
    await mongodb.close();
    dynamodb.destroy();
  }
};

/** Declares a test for each check: every guard that the store can have holds on a scratch copy, and none of it stays. */
export const guardTests = (
  storesOf: () => DemoAddresses,
  call: Call,
  dump: () => Promise<Record<string, string[]>>,
): void => {
  test.each(Object.entries(guards))(
    '%s: guards test proves each guard and leaves nothing',
    async (check, wanted) => {
      const before = {rows: await dump(), names: await namesIn(storesOf())};
      const seen = await call<{guards: GuardInfo[]}>(['guards', check]);
      const unavailable = new Map(
        seen.json.guards.filter(({state}) => state === 'unavailable').map(({guard, why}) => [guard, why]),
      );
      for (const {guard, absent} of wanted)
        if (unavailable.has(guard)) expect(unavailable.get(guard), guard).toMatch(absent ?? /^never$/);

      const {code, json, stderr} = await call<{proofs: Proof[]}>(['guards', 'test', check, '--yes']);
      expect(
        json.proofs.filter(({passed}) => !passed),
        stderr,
      ).toEqual([]);
      expect(code, stderr).toBe(0);
      for (const {guard} of wanted) {
        if (unavailable.has(guard) && !json.proofs.some(proof => proof.guard === guard))
          expect(stderr).toContain(`${guard}: unavailable: ${unavailable.get(guard)}`);
        else expect(json.proofs.filter(proof => proof.guard === guard).length, guard).toBeGreaterThan(0);
      }
      expect({rows: await dump(), names: await namesIn(storesOf())}).toEqual(before);
    },
  );
};
