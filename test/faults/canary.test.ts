/**
 * Canaries: passwords, keys and tokens that would be recognised anywhere. Whatever goes wrong, they are in no output,
 * no file, no error, no report and no core (S16).
 */
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, readdir, readFile, stat, writeFile} from 'node:fs/promises';
import {type AddressInfo, createServer, type Server} from 'node:net';
import {join} from 'node:path';
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {stringify} from 'yaml';
import {commands} from '../../source/commands/registry.js';
import {type Called, cli, cliPath, temporaryDirectory} from '../support/cli.js';
import {dynamodbServers} from '../support/dynamodb.js';
import {startServer} from '../support/postgres.js';
import {openPty} from '../support/pty.js';
import {record} from './record.js';

const password = 'C4nary/p@ss:w%rd"x#1';
const wrong = 'Wr0ng-c4nary-pässword';
const secretKey = 'Aws+C4nary/SecretKeyAbcdefghijklmnopqrst';
const token = 'T0ken-c4nary-bearer-1234';
const cell = 'R0w-c4nary-of-a-secret-column';
const canaries = [password, wrong, secretKey, token];

/** What a canary is in another spelling: percent-encoded, in Base64 at any place of a group, in hexadecimal, in JSON. */
const spellings = (text: string): string[] => [
  text,
  encodeURIComponent(text),
  encodeURIComponent(text).toLowerCase(),
  encodeURI(text),
  JSON.stringify(text).slice(1, -1),
  Buffer.from(text).toString('hex'),
  ...[0, 1, 2].map(shift => {
    const whole = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).toString('base64');
    return whole.slice(shift === 0 ? 0 : 4, -4);
  }),
];
const known = canaries.flatMap(spellings);
const found = (text: string, among = known): string[] => among.filter(spelling => text.includes(spelling));

const environment: NodeJS.ProcessEnv = {
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: secretKey,
  SESSTUI_TOKEN: token,
  PGPASSWORD: undefined,
};

let directory: string;
let postgres: Awaited<ReturnType<typeof startServer>>;
let dynamodb: {endpoint: string; stop(): Promise<void>};
let silent: Server;
let client: pg.Client;
let port: number;
let silentPort: number;

const writeHba = async (): Promise<void> => {
  const {rows} = await client.query('show hba_file');
  await writeFile(
    rows[0].hba_file,
    'host all canary 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n',
  );
  await client.query('select pg_reload_conf()');
};

beforeAll(async () => {
  directory = await temporaryDirectory();
  [postgres, dynamodb] = await Promise.all([
    startServer(),
    dynamodbServers()
      .find(({name}) => name === 'DynamoDB Local')!
      .start(),
  ]);
  port = Number(new URL(postgres.url).port);
  client = new pg.Client({connectionString: postgres.url});
  await client.connect();
  await client.query(`create role canary superuser login password '${password.replaceAll("'", "''")}'`);
  await writeHba();
  await client.query('create table kept (id text primary key, customer text, token text, parts jsonb)');
  await client.query(
    "insert into kept select n::text, 'ann', $1, jsonb_build_object('accessToken', $1::text) from generate_series(1, 3) n",
    [cell],
  );
  // Accepts, and never says a word.
  silent = createServer(() => undefined);
  await new Promise<void>(done => silent.listen(0, '127.0.0.1', done));
  silentPort = (silent.address() as AddressInfo).port;
});
afterAll(async () => {
  await client?.end();
  silent?.close();
  await Promise.all([postgres?.stop(), dynamodb?.stop()]);
});

const encoded = (text: string): string => encodeURIComponent(text);
const postgresUrl = (
  secret: string,
  host = `127.0.0.1:${port}`,
  rest = '/postgres?sslmode=disable',
): string => `postgres://canary:${encoded(secret)}@${host}${rest}`;

let files = 0;
const configOf = async (store: object, more: object = {}): Promise<string> => {
  const file = join(directory, `${files++}.yaml`);
  await writeFile(file, stringify({environment: 'test', stores: {s: store}, ...more}));
  return file;
};
const check = {check: 'duplicates', table: 'kept', groupBy: ['customer'], payload: ['token']};
const postgresStore = (url: string): object => ({kind: 'postgres', url, timeout: '3s', checks: [check]});
const mongodbStore = (url: string): object => ({
  kind: 'mongodb',
  url,
  database: 'support',
  timeout: '3s',
  checks: [{check: 'null-ids', collection: 'kept'}],
});
const dynamodbStore = (endpoint: string): object => ({
  kind: 'dynamodb',
  region: 'eu-west-1',
  endpoint,
  timeout: '3s',
  checks: [{...check, payload: []}],
});

const all = ({stdout, stderr}: Called): string => stdout + stderr;

/** Every file below a directory, with its text. */
const textsIn = async (folder: string): Promise<[string, string][]> => {
  const names = existsSync(folder) ? await readdir(folder, {recursive: true}) : [];
  const texts: [string, string][] = [];
  for (const name of names) {
    const path = join(folder, name);
    if ((await stat(path)).isFile()) texts.push([name, await readFile(path, 'latin1')]);
  }
  return texts;
};

describe('a store that can not be asked', () => {
  const cases: [string, () => object, NodeJS.ProcessEnv?][] = [
    ['a wrong password', () => postgresStore(postgresUrl(wrong))],
    ['a host that is not there', () => postgresStore(postgresUrl(password, 'nohost.invalid'))],
    ['a port where nothing listens', () => postgresStore(postgresUrl(password, '127.0.0.1:1'))],
    [
      'TLS that the server does not have',
      () => postgresStore(postgresUrl(password, undefined, '/postgres?sslmode=verify-full')),
    ],
    [
      'a certificate that is not there',
      () =>
        postgresStore(postgresUrl(password, undefined, '/postgres?sslmode=verify-full&sslrootcert=/nowhere')),
    ],
    [
      'a database that is not there',
      () => postgresStore(postgresUrl(password, undefined, `/${encoded(password)}?sslmode=disable`)),
    ],
    [
      'a broken percent sign',
      () => postgresStore(`postgres://canary:${password}@127.0.0.1:${port}/postgres`),
    ],
    ['a port that is none', () => postgresStore(postgresUrl(password, '127.0.0.1:port'))],
    ['a bracket that stays open', () => postgresStore(postgresUrl(password, '[::1'))],
    ['no scheme', () => postgresStore(`canary:${password}@127.0.0.1/postgres`)],
    ['another scheme', () => postgresStore(`mysql://canary:${encoded(password)}@127.0.0.1/postgres`)],
    ['a server that says nothing', () => postgresStore(postgresUrl(password, `127.0.0.1:${silentPort}`))],
    [
      'the password in a parameter',
      () =>
        postgresStore(
          `postgres://canary@127.0.0.1:1/x?password=${encoded(password)}&sslpassword=${encoded(wrong)}`,
        ),
    ],
    [
      'a mistake beside the URL',
      () => ({
        ...postgresStore(postgresUrl(password)),
        checks: [{check: postgresUrl(password)}],
        [password]: 1,
      }),
    ],
    [
      'MongoDB: a port where nothing listens',
      () => mongodbStore(`mongodb://canary:${encoded(password)}@127.0.0.1:1/?serverSelectionTimeoutMS=500`),
    ],
    ['MongoDB: an address that is none', () => mongodbStore(`mongodb://canary:${password}@127.0.0.1:1`)],
    [
      'MongoDB: a port that is none',
      () => mongodbStore(`mongodb://canary:${encoded(password)}@127.0.0.1:port`),
    ],
    [
      'MongoDB: a name that is not there',
      () => mongodbStore(`mongodb+srv://canary:${encoded(password)}@nohost.invalid`),
    ],
    [
      'MongoDB: TLS with what speaks none',
      () =>
        mongodbStore(
          `mongodb://canary:${encoded(password)}@127.0.0.1:${port}/?tls=true&serverSelectionTimeoutMS=500`,
        ),
    ],
    [
      'MongoDB: an unknown option',
      () =>
        mongodbStore(`mongodb://canary:${encoded(password)}@127.0.0.1:1/?authMechanism=${encoded(password)}`),
    ],
    [
      'MongoDB: a token among the options',
      () =>
        mongodbStore(
          `mongodb://127.0.0.1:1/?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:${encoded(token)}&serverSelectionTimeoutMS=500`,
        ),
    ],
    ['DynamoDB: no such table', () => dynamodbStore(dynamodb.endpoint)],
    [
      'DynamoDB: a port where nothing listens',
      () => dynamodbStore(`http://canary:${encoded(password)}@127.0.0.1:1`),
    ],
    [
      'DynamoDB: TLS with what speaks none',
      () => dynamodbStore(`https://canary:${encoded(password)}@127.0.0.1:${port}`),
    ],
    ['DynamoDB: an endpoint that is none', () => dynamodbStore(`http://canary:${password}@[`)],
  ];

  test.each(cases)('%s', async (_name, store) => {
    const config = await configOf(store());
    const state = join(directory, `state${files}`);
    const base = ['--config', config, '--state-dir', state, '--timeout', '3s'];
    const told = await Promise.all([
      cli([...base, 'check'], {env: environment}),
      cli([...base, 'clean', 's/duplicates', '--action', 'keep-first', '--yes', '--json'], {
        env: environment,
      }),
    ]);
    for (const called of told) {
      expect(found(all(called))).toEqual([]);
      expect([2, 3]).toContain(called.code);
      expect(all(called)).not.toMatch(/node:internal|node_modules|^\s+at /m);
    }
    expect((await textsIn(state)).flatMap(([, text]) => found(text))).toEqual([]);
    record({
      requirement: 'S16',
      fault: 'a store that can not be asked',
      server: 'PostgreSQL 15, DynamoDB Local',
      rounds: 2,
      violations: 0,
    });
  });
});

test('a whole run, its history and its undo: no credential anywhere, a secret value in the backup only', async () => {
  const config = await configOf({...postgresStore(postgresUrl(password)), checks: [{...check, payload: []}]});
  const state = join(directory, 'run');
  const base = ['--config', config, '--state-dir', state];
  const secretCell = spellings(cell);
  const outputs: string[] = [];
  const call = async (...args: string[]): Promise<Called> => {
    const called = await cli([...base, ...args], {env: environment});
    outputs.push(all(called));
    return called;
  };
  await call('check');
  for (const output of ['json', 'csv', 'ndjson']) await call('check', '--output', output);
  await call('clean', 's/duplicates', '--action', 'keep-first', '--json');
  const {code} = await call(
    'clean',
    's/duplicates',
    '--action',
    'keep-first',
    '--yes',
    '--note',
    `it is ${password}`,
  );
  expect(code).toBe(0);
  // A change that fails, and says the value of a secret column in its error.
  await client.query(
    "create function tell() returns trigger language plpgsql as $$ begin raise exception 'not %, %', old.token, old.parts; end $$",
  );
  await client.query("insert into kept values (2, 'ann', $1, jsonb_build_object('accessToken', $1::text))", [
    cell,
  ]);
  await client.query('create trigger tell before delete on kept for each row execute function tell()');
  expect((await call('clean', 's/duplicates', '--action', 'keep-first', '--yes', '--json')).code).toBe(4);
  await client.query('drop trigger tell on kept');
  const run = /sesstui undo (\S+)/.exec(outputs.join(''))![1]!;
  expect((await call('history', '--verify')).code).toBe(0);
  await call('history', '--json');
  await call('customer', 'ann', '--json');
  await call('undo', run);
  await call('undo', run, '--yes', '--json');
  for (const output of outputs) expect(found(output, [...known, ...secretCell])).toEqual([]);
  const texts = await textsIn(state);
  expect(texts.length).toBeGreaterThan(6);
  for (const [name, text] of texts) {
    expect([name, found(text)]).toEqual([name, []]);
    if (!name.endsWith('backup.jsonl')) expect([name, found(text, secretCell)]).toEqual([name, []]);
  }
  expect(texts.some(([name, text]) => name.endsWith('backup.jsonl') && text.includes(cell))).toBe(true);
  expect(texts.some(([name, text]) => name.endsWith('journal.jsonl') && text.includes('"failed"'))).toBe(
    true,
  );
  record({
    requirement: 'S16',
    fault: 'a run, a failing change that tells a secret, its undo',
    server: 'PostgreSQL 15',
    rounds: outputs.length,
    violations: 0,
  });
});

test('no help, version or mistake tells what is in the environment', async () => {
  const config = await configOf(postgresStore(postgresUrl(password)));
  const calls = [
    ['--help'],
    ['--version'],
    ...commands.map(({name}) => [name, '--help']),
    ['init', '--config', config, password],
    ['check', password],
    [password],
    [`--${password}`],
  ];
  for (const args of calls) {
    const cwd = join(directory, `help${files++}`);
    await mkdir(cwd);
    const called = await cli([...args, '--state-dir', join(cwd, 'state')], {
      cwd,
      env: {...environment, GYM_DATABASE_URL: postgresUrl(password)},
    });
    expect([args, found(all(called))]).toEqual([args, []]);
    expect((await textsIn(cwd)).flatMap(([, text]) => found(text))).toEqual([]);
  }
  record({
    requirement: 'S16',
    fault: 'help and mistakes with credentials in the environment',
    server: 'none',
    rounds: calls.length,
    violations: 0,
  });
});

describe('a process that dies in the middle', () => {
  /** A program that waits for a server that says nothing, and what happens to it meanwhile. */
  const dying = async (
    happens: string,
    args: string[],
    nodeOptions = '',
  ): Promise<Called & {cwd: string; argv: string}> => {
    const cwd = join(directory, `crash${files++}`);
    await mkdir(cwd);
    const preload = join(cwd, 'preload.mjs');
    await writeFile(
      preload,
      // Once it waits for the server: its configuration is read, and it says nothing more of its own accord.
      `const waiting = setInterval(() => {
if (!process.getActiveResourcesInfo().includes('TCPSocketWrap')) return;
clearInterval(waiting);
const secret = process.env.SECRET_URL;
${happens}
}, 20);
`,
    );
    const config = await configOf(postgresStore(postgresUrl(password, `127.0.0.1:${silentPort}`)));
    const words = [cliPath, '--config', config, '--state-dir', join(cwd, 'state'), ...args];
    const child = spawn(
      'sh',
      ['-c', 'ulimit -c unlimited; exec "$0" "$@"', process.execPath, '--import', preload, ...words],
      {
        cwd,
        env: {...process.env, ...environment, SECRET_URL: postgresUrl(password), NODE_OPTIONS: nodeOptions},
      },
    );
    let [stdout, stderr, argv] = ['', '', ''];
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    child.stderr.on('data', chunk => {
      stderr += chunk;
    });
    // Before the process gives itself a title, and after.
    const look = () =>
      readFile(`/proc/${child.pid}/cmdline`, 'latin1').then(
        text => {
          argv += text;
        },
        () => undefined,
      );
    const waiting = setInterval(look, 5);
    await look();
    const code = await new Promise<number | null>(done => child.on('close', done));
    clearInterval(waiting);
    return {code, stdout, stderr, cwd, argv};
  };
  const error = 'Object.assign(new Error(secret), {detail: secret, url: secret, cause: new Error(secret)})';
  const reports =
    '--report-on-fatalerror --report-uncaught-exception --report-on-signal --report-signal=SIGUSR2 --unhandled-rejections=warn';

  test.each([
    ['an exception that nobody caught', `throw ${error};`],
    ['a rejection that nobody handled', `Promise.reject(${error});`],
    ['something thrown that is no error', 'throw {secret, toString: () => secret};'],
    [
      'an exception in a timer of the program, with reports asked for',
      `process.kill(process.pid, 'SIGUSR2'); throw ${error};`,
    ],
  ])('%s', async (_name, happens) => {
    for (const args of [['check'], ['check', '--json']]) {
      const {code, stdout, stderr, cwd, argv} = await dying(happens, args, reports);
      expect(code).toBe(3);
      expect(found(stdout + stderr)).toEqual([]);
      if (args.includes('--json')) expect(JSON.parse(stdout)).toMatchObject({error: {code: 'internal'}});
      else expect(stderr).toMatch(/^sesstui: /);
      expect(argv).toContain('check');
      expect(found(argv)).toEqual([]);
      for (const [name, text] of await textsIn(cwd)) expect([name, found(text)]).toEqual([name, []]);
      expect((await readdir(cwd)).filter(name => name.startsWith('report'))).toEqual([]);
    }
    record({
      requirement: 'S16',
      fault: 'an uncaught exception or rejection',
      server: 'none',
      rounds: 2,
      violations: 0,
    });
  });

  test('abort: no report, and a core without memory', async () => {
    const {code, stdout, stderr, cwd} = await dying('process.abort();', ['check'], reports);
    expect(code).not.toBe(0);
    expect(found(stdout + stderr)).toEqual([]);
    const left = await textsIn(cwd);
    for (const [name, text] of left) expect([name, found(text)]).toEqual([name, []]);
    const cores = left.filter(([name]) => name.startsWith('core'));
    record({
      requirement: 'S16',
      fault: 'SIGABRT with a core file allowed',
      server: 'none',
      rounds: 1,
      violations: 0,
      note: cores.length > 0 ? 'a core was written and searched' : 'this system wrote no core here',
    });
  });
});

test('the screen with a wrong password, and one that dies', async () => {
  const config = await configOf(postgresStore(postgresUrl(wrong)));
  const preload = join(directory, 'die.mjs');
  await writeFile(
    preload,
    "process.on('SIGUSR1', () => Promise.reject(new Error(process.env.SECRET_URL)));\n",
  );
  const pty = openPty(
    process.execPath,
    ['--import', preload, cliPath, '--config', config, '--state-dir', join(directory, 'pty')],
    {
      columns: 120,
      rows: 30,
      env: {...(environment as Record<string, string>), SECRET_URL: postgresUrl(password)},
    },
  );
  await pty.until(/down/);
  pty.write('2');
  await pty.until(/password authentication failed|refused/);
  pty.kill('SIGUSR1');
  expect(await pty.ended).toBe(3);
  await expect
    .poll(() => pty.modes())
    .toEqual({alternate: false, paste: false, wrap: true, cursorHidden: false});
  expect(found(pty.written())).toEqual([]);
  expect(pty.screen()).toContain('sesstui: ');
  record({
    requirement: 'S16',
    fault: 'the screen: a wrong password, then a crash',
    server: 'PostgreSQL 15',
    rounds: 1,
    violations: 0,
  });
});
