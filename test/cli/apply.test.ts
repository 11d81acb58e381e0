/** A plan that is written to a file, reviewed, and carried out: exactly that, on that server, and not for long. */
import {createHash} from 'node:crypto';
import {readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import pg from 'pg';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {cli, cliJson, temporaryDirectory} from '../support/cli.js';
import {dumpPostgres} from '../support/dumps.js';
import {type PostgresServer, startPglite} from '../support/postgres.js';

let server: PostgresServer;
let other: PostgresServer;
let client: pg.Client;
let cwd: string;
let file: string;

beforeAll(async () => {
  [server, other] = await Promise.all([startPglite(), startPglite()]);
  client = new pg.Client({connectionString: server.url});
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await Promise.all([server.stop(), other.stop()]);
});
beforeEach(async () => {
  cwd = await temporaryDirectory();
  file = join(cwd, 'plan.jsonl');
  await client.query(`drop table if exists keys; create table keys (id int primary key, account text, seen timestamptz, token text, name text);
    insert into keys select i, 'acc-' || (i - 1) / 3, now() - i * interval '1 minute', 'canary-' || i from generate_series(1, 9) i`);
  await configure(server.url);
});

const configure = (url: string, environment = 'test'): Promise<void> =>
  writeFile(
    join(cwd, 'sesstui.yaml'),
    `environment: ${environment}
stores:
  db:
    kind: postgres
    url: ${url}
    checks:
      - {check: duplicates, table: keys, groupBy: [account], latestBy: [seen]}
      - {check: null-ids, table: keys, id: name, idFormat: uuid}
`,
  );

type Told = {
  run: string | null;
  dryRun: boolean;
  planned: number;
  applied: number;
  skipped: number;
  remaining: number;
  changes: {key: {id: number}; after: Record<string, string> | null; result: string; why?: string}[];
};
const call = (args: string[]) =>
  cliJson<Told & {error?: {code: string; message: string}}>([...args, '--state-dir', join(cwd, 'state')], {
    cwd,
  });

const keepLatest = ['clean', 'db/duplicates', '--action', 'keep-latest'];

/** The file with its lines changed, and a hash that fits, as somebody with bad intentions would leave it. */
const forge = async (change: (lines: Record<string, unknown>[]) => void): Promise<void> => {
  const lines = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line));
  change(lines);
  const texts = lines.map(line => JSON.stringify(line));
  const sha256 = createHash('sha256').update(texts.join('\n')).digest('hex');
  await writeFile(file, `${[...texts, JSON.stringify({changes: texts.length - 1, sha256})].join('\n')}\n`);
};

test('exactly the plan of the file is carried out, whatever has come since', async () => {
  const written = await call([...keepLatest, '--out', file, '--note', 'asked by support']);
  expect([written.code, written.json.dryRun, written.json.planned]).toEqual([0, true, 6]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).not.toContain('canary');
  await client.query(`insert into keys values (20, 'acc-0', now() - interval '1 day', 'late')`);
  expect((await call(['apply', file])).json).toMatchObject({run: null, dryRun: true, planned: 6});
  const applied = await call(['apply', file, '--yes']);
  expect([applied.code, applied.json]).toMatchObject([0, {planned: 6, applied: 6, skipped: 0, remaining: 1}]);
  expect((await client.query('select id from keys order by id')).rows.map(({id}) => id)).toEqual([
    1, 4, 7, 20,
  ]);
  const {stdout} = await cli(['history', '--json', '--state-dir', join(cwd, 'state')], {cwd});
  expect(JSON.parse(stdout).runs[0].note).toBe('asked by support');
});

test('a row that changed since the review is skipped and told', async () => {
  await call([...keepLatest, '--out', file]);
  await client.query(`update keys set token = 'new' where id = 2; delete from keys where id = 9`);
  const {json} = await call(['apply', file, '--yes']);
  expect(json).toMatchObject({planned: 6, applied: 4, skipped: 2});
  const skipped = json.changes.filter(({result}) => result === 'skipped');
  expect(skipped.map(({key, why}) => [key.id, why])).toEqual([
    [2, 'changed'],
    [9, 'changed'],
  ]);
  expect((await client.query('select token from keys where id = 2')).rows).toEqual([{token: 'new'}]);
});

test('new ids are those that were reviewed', async () => {
  const written = await call(['clean', 'db/null-ids', '--action', 'assign-ids', '--out', file]);
  const {json} = await call(['apply', file, '--yes']);
  expect(json.applied).toBe(9);
  const {rows} = await client.query('select id, name from keys order by id');
  const reviewed = written.json.changes.map(({key, after}) => ({id: key.id, name: after!.name}));
  expect(rows).toEqual(reviewed.sort((a, b) => a.id - b.id));
  expect(new Set(rows.map(({name}) => name)).size).toBe(9);
  expect(rows[0].name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('the same file applied by two at once is carried out once', async () => {
  await call([...keepLatest, '--out', file]);
  const both = await Promise.all([call(['apply', file, '--yes']), call(['apply', file, '--yes'])]);
  expect(both.map(({json}) => json.applied).reduce((a, b) => a + b)).toBe(6);
  expect((await client.query('select count(*)::int as n from keys')).rows).toEqual([{n: 3}]);
});

test('an edited file is refused, by the hash and by what the action would do', async () => {
  await call([...keepLatest, '--out', file]);
  const before = await dumpPostgres(server.url, 'keys');
  await writeFile(file, (await readFile(file, 'utf8')).replace('"id":2', '"id":1'));
  const {code, json} = await call(['apply', file, '--yes']);
  expect([code, json.error!.code, json.error!.message]).toEqual([
    2,
    'usage',
    expect.stringContaining('was edited'),
  ]);
  // With a hash that fits: a change that the action would not make is not made.
  await writeFile(file, (await readFile(file, 'utf8')).replace('"id":1', '"id":2'));
  await forge(lines => {
    lines[1]!.is = createHash('sha256').update('delete the keeper').digest('hex');
  });
  expect((await call(['apply', file])).json.changes.map(({result}) => result).sort()).toEqual([
    ...Array(5).fill('planned'),
    'skipped',
  ]);
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});

test('what the file shows is what is done, whatever hash stands beside it', async () => {
  await call([...keepLatest, '--out', file]);
  const before = await dumpPostgres(server.url, 'keys');
  const whole = await readFile(file, 'utf8');
  const lies: ((lines: Record<string, unknown>[]) => void)[] = [
    lines => {
      (lines[1]!.shown as {table: string}).table = 'test_scratch';
    },
    lines => {
      lines[0]!.planned = 1;
    },
    lines => {
      delete lines[0]!.now;
    },
    lines => {
      lines[0]!.selection = null;
    },
    lines => {
      delete lines[2]!.shown;
    },
  ];
  for (const lie of lies) {
    await writeFile(file, whole);
    await forge(lie);
    const {code, json} = await call(['apply', file, '--yes']);
    expect([code, json.error?.code], String(lie)).toEqual([2, 'usage']);
  }
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});

test('an old plan, one of another server, and what is no plan', async () => {
  await call([...keepLatest, '--out', file]);
  const message = async (args: string[] = []): Promise<string> => {
    const {code, json} = await call(['apply', file, '--yes', ...args]);
    expect([code, json.error?.code]).toEqual([2, 'usage']);
    return json.error!.message;
  };
  await configure(other.url);
  expect(await message()).toContain('another server');
  await configure(server.url);
  await forge(lines => {
    lines[0]!.now = (lines[0]!.now as number) - 3_700_000_000;
  });
  expect(await message()).toContain('the 3600 seconds of --max-age');
  expect((await call(['apply', file, '--max-age', '2h'])).code).toBe(0);
  await writeFile(file, 'a: plan\n');
  expect(await message()).toContain('not a plan of sesstui');
  file = join(cwd, 'nothing');
  expect(await message()).toContain('there is no file');
});

test('a file that is there is not written over, and --out and --yes exclude each other', async () => {
  await writeFile(file, 'mine');
  const taken = await call([...keepLatest, '--out', file]);
  expect([taken.code, taken.json.error!.message]).toEqual([2, expect.stringContaining('is there already')]);
  expect(await readFile(file, 'utf8')).toBe('mine');
  expect((await call([...keepLatest, '--out', join(cwd, 'new'), '--yes'])).code).toBe(2);
});

test('in production the reviewed plan needs the name as well', async () => {
  await configure(server.url, 'production');
  await call([...keepLatest, '--limit', '1', '--out', file]);
  const {code, json} = await call(['apply', file, '--yes']);
  expect([code, json.error!.code]).toEqual([2, 'confirmation']);
  const count = (json.error!.message.match(/--confirm (\S+)/) ?? [])[1]!;
  // Under another configuration it does not lose that.
  await configure(server.url, 'test');
  expect((await call(['apply', file, '--yes'])).json.error!.message).toContain('--confirm production');
  await configure(server.url, 'production');
  expect((await call(['apply', file, '--yes', '--confirm', count])).json.applied).toBe(2);
});
