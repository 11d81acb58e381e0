// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are configurations
import {mkdtemp, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {openDynamodb} from '../../connectors/dynamodb/index.js';
import {initConfig} from '../../source/config/init.js';
import {loadConfig, parseConfig} from '../../source/config/load.js';
import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {demoDynamodbClient, seedKite} from '../../source/demo/seed-load-dynamodb.js';
import {SesstuiError} from '../../source/errors.js';
import {type MemoryTable, memoryStore} from './memory-store.js';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'sesstui-init-'));
});
afterEach(() => rm(cwd, {recursive: true, force: true}));

/** Runs init on stores in memory, by name, and loads what it wrote in the same environment. */
const initOn = async (env: NodeJS.ProcessEnv, stores: Record<string, Record<string, MemoryTable>>) => {
  const result = await initConfig({env, cwd, open: name => memoryStore(stores[name] ?? {}).connector});
  const {config} = await loadConfig({cwd, env});
  return {...result, config};
};

const times = ['created_at timestamptz', 'updated_at timestamptz'];
const rides: Record<string, MemoryTable> = {
  sessions: {columns: ['id uuid', 'customer_id text', 'status text', ...times]},
  session_requests: {columns: ['id uuid', 'customer_id text', 'session_id uuid', 'status text', ...times]},
  mechanics: {columns: ['id uuid', 'name text']},
};
const gym: Record<string, MemoryTable> = {
  auth_sessions: {
    columns: [
      'id uuid',
      'email text',
      'session_type text',
      'protected boolean',
      'fingerprint text',
      'expires_at timestamptz',
      ...times,
    ],
  },
};
const registry: Record<string, MemoryTable> = {
  app_session_keys: {
    columns: [
      'device_key varchar',
      'stream_id varchar',
      'session_ids character varying(255)[]',
      'message_envelope bytea',
    ],
    key: [],
  },
};

test('tables of the three PostgreSQL systems are recognised, and need little said', async () => {
  const env = {
    RIDES_DATABASE_URL: 'postgres://rides:hunter2@db/rides',
    GYM_DATABASE_URL: 'postgres://gym:hunter3@db/gym',
    REGISTRY_DATABASE_URL: 'postgresql://db/registry',
  };
  const {config, text} = await initOn(env, {rides, gym, registry});
  expect(config.stores.rides!.checks).toEqual([
    expect.objectContaining({check: 'stale-sessions', waitingAfter: '15m'}),
  ]);
  expect(config.stores.gym!.checks).toEqual([
    expect.objectContaining({check: 'device-sessions', table: 'auth_sessions'}),
  ]);
  expect(config.stores.registry!.checks).toEqual([
    expect.objectContaining({
      check: 'duplicates',
      table: 'app_session_keys',
      groupBy: ['device_key', 'stream_id', 'session_ids'],
      unordered: ['session_ids'],
      payload: ['message_envelope'],
    }),
  ]);
  expect(text).toContain('url: ${GYM_DATABASE_URL}');
  expect(text).not.toMatch(/hunter|columns:|sessions: \{/);
});

test('columns of other names are written down', async () => {
  const other: Record<string, MemoryTable> = {
    'app.sessions': {columns: ['id', 'rider_id', 'state', 'createdAt', 'updatedAt']},
    'app.session_requests': {columns: ['id', 'rider_id', 'state', 'createdAt', 'updatedAt']},
    'app.device_sessions': {
      columns: ['id', 'user_email', 'type', 'is_protected', 'fingerprint', 'expires', ...times],
    },
  };
  const {config} = await initOn({DATABASE_URL: 'postgres://db/app'}, {postgres: other});
  expect(config.stores.postgres!.checks).toMatchObject([
    {
      check: 'stale-sessions',
      sessions: {table: 'app.sessions', customer: 'rider_id', status: 'state', createdAt: 'createdAt'},
      requests: {table: 'app.session_requests', session: null},
    },
    {
      check: 'device-sessions',
      table: 'app.device_sessions',
      columns: {email: 'user_email', type: 'type', protected: 'is_protected', expiresAt: 'expires'},
    },
  ]);
});

test('columns that are not there are named in a comment', async () => {
  const before = {auth_sessions: {columns: ['id', 'email', 'expires_at', ...times]}};
  const {text} = await initOn({DATABASE_URL: 'postgres://db/app'}, {postgres: before});
  expect(text).toMatch(/# .*No column was found for: session_type, protected, fingerprint\n/);
});

test('conversations are recognised, by the attributes of a few documents', async () => {
  const chat = {
    conversations: {rows: [{id: '1', sessionId: null, updated_at: 'x'}]},
    'system.views': {rows: []},
  };
  const env = {MONGODB_URI: 'mongodb://app:s3cret!@a,b/?tls=true', MONGODB_DB: 'chat'};
  const {config, text} = await initOn(env, {mongodb: chat});
  expect(config.stores.mongodb).toMatchObject({
    kind: 'mongodb',
    database: 'chat',
    checks: [{check: 'null-ids', table: 'conversations', id: 'sessionId', touch: 'updated_at'}],
  });
  expect(text).not.toContain('s3cret');
});

test('without MONGODB_DB it takes the database of the address, and says so', async () => {
  const {config, text} = await initOn(
    {MONGODB_URI: 'mongodb://a,b/support?tls=true'},
    {mongodb: {conversations: {}}},
  );
  expect(config.stores.mongodb).toMatchObject({
    database: 'support',
    checks: [{check: 'null-ids', table: 'conversations'}],
  });
  expect(text).toContain('MONGODB_DB was not set');
});

test("kite's tables are recognised in a DynamoDB", async () => {
  const front = await startDynamodbFront();
  const client = demoDynamodbClient(front.endpoint);
  try {
    await seedKite(client, {rows: 20, seed: 7, now: Date.UTC(2026, 10, 21)});
    const env = {AWS_REGION: 'eu-west-1', DYNAMODB_ENDPOINT: front.endpoint};
    const result = await initConfig({
      env,
      cwd,
      open: async (name, store) => {
        if (store.kind !== 'dynamodb') throw new Error('another kind');
        const credentials = {environment: null, timeoutMs: 5000, readOnly: true};
        return openDynamodb({store: name, ...credentials, region: store.region, endpoint: store.endpoint});
      },
    });
    expect(result.stores).toEqual([
      {name: 'dynamodb', kind: 'dynamodb', checks: ['duplicates'], fault: null},
    ]);
    const {config} = await loadConfig({cwd, env});
    expect(config.stores.dynamodb).toMatchObject({
      region: 'eu-west-1',
      endpoint: front.endpoint,
      checks: [
        {
          table: 'kite-sessions',
          groupBy: ['accountId'],
          latestBy: ['updatedAt', 'createdAt'],
          referencedBy: {table: 'kite-accounts', key: 'accountId', attribute: 'session'},
        },
      ],
    });
    expect(result.text).not.toContain(front.endpoint);
  } finally {
    client.destroy();
    await front.close();
  }
});

test('a canonical id is written when a row has it', async () => {
  const rows = [
    {sessionId: 'sess_a1', accountId: 'a1', createdAt: 1},
    {sessionId: 'x', accountId: 'a1', createdAt: 2},
  ];
  const kite = {'kite-sessions': {key: ['sessionId'], rows}};
  const {config} = await initOn({AWS_DEFAULT_REGION: 'us-west-2'}, {dynamodb: kite});
  expect(config.stores.dynamodb).toMatchObject({
    region: 'us-west-2',
    checks: [{canonicalId: 'sess_{accountId}', latestBy: ['createdAt']}],
  });
});

test('tables that only look like sessions become comments, with names that harm nothing', async () => {
  const nasty = 'x\n  evil: ${HOME}\u202e"sessions';
  const env = {DATABASE_URL: 'postgres://db/app'};
  const {config, text} = await initOn(env, {
    postgres: {
      [nasty]: {columns: ['id', 'user_id', 'tags text[]']},
      login_history: {columns: ['id', 'email', ...times]},
    },
  });
  expect(config.stores.postgres!.checks).toEqual([]);
  expect(text).toContain('#   groupBy: [user_id, tags]');
  expect(text).not.toContain('\u202e');
  expect(
    text
      .split('\n')
      .filter(line => line.includes('evil'))
      .every(line => line.trimStart().startsWith('#')),
  ).toBe(true);
});

test('the table names of checks are read back as they are', async () => {
  const nasty = 'we"ird ${HOME} $$ \u00e9\u202e sessions';
  const key = {columns: ['device_key', 'stream_id', 'session_ids text[]']};
  const {config} = await initOn(
    {DATABASE_URL: 'postgres://db/app'},
    {postgres: {[nasty]: key, plain_keys: key}},
  );
  const checks = config.stores.postgres!.checks as {table: string; name?: string}[];
  expect(checks.map(({table}) => table)).toEqual([nasty, 'plain_keys']);
  expect(checks[1]!.name).toBe('plain_keys');
});

test('what can not be reached is in the file too, with why, and is closed', async () => {
  const env = {
    DATABASE_URL: 'postgres://ann:hunter2%21@down/app',
    AWS_REGION: 'eu-west-1',
    MONGODB_URI: 'mongodb://slow/chat',
  };
  const kite = memoryStore({});
  const {text, stores, messages} = await initConfig({
    env,
    cwd,
    timeoutMs: 50,
    open: name => {
      if (name === 'dynamodb') return kite.connector;
      if (name === 'mongodb') return new Promise(() => undefined);
      throw new SesstuiError(
        'unreachable',
        `connect to postgres://ann:hunter2!@down/app: ECONNREFUSED\nhunter2%21`,
      );
    },
  });
  expect(stores).toMatchObject([
    {name: 'mongodb', fault: expect.stringContaining('timeout')},
    {name: 'postgres', checks: [], fault: expect.stringContaining('unreachable')},
    {name: 'dynamodb', fault: null},
  ]);
  expect(text).toContain(
    '# Could not be looked at (unreachable): connect to postgres://ann:••••@down/app: ECONNREFUSED',
  );
  expect(text + messages.join('\n')).not.toMatch(/hunter2/);
  expect(kite.state.closed).toBe(true);
  expect((await loadConfig({cwd, env})).config.stores).toMatchObject({
    postgres: {checks: []},
    mongodb: {database: 'chat'},
    dynamodb: {},
  });
});

test('with nothing in the environment it writes examples, and says what it looked for', async () => {
  const {config, text, messages} = await initOn({HOME: '/home/ann'}, {});
  expect(config.stores).toEqual({});
  expect(messages[0]).toMatch(/DATABASE_URL.*MONGODB_URI.*AWS_REGION.*DYNAMODB_ENDPOINT/);
  const examples = text.slice(text.indexOf('# stores:\n')).replaceAll(/^# ?/gm, '');
  const env = {DATABASE_URL: 'postgres://h/x', MONGODB_URI: 'mongodb://h', MONGODB_DB: 'chat'};
  expect(Object.keys(parseConfig(examples, 'examples', env).config.stores)).toEqual(['kite', 'chat', 'gym']);
});

test('an address of another database is left out and named, without what it holds', async () => {
  const {config, messages} = await initOn({DATABASE_URL: 'mysql://root:hunter2@db/app'}, {});
  expect(config.stores).toEqual({});
  expect(messages.join('\n')).toContain('DATABASE_URL is set, but');
  expect(messages.join('\n')).not.toContain('hunter2');
});

test('two variables with one address are one store', async () => {
  const url = 'postgres://db/app';
  const {config} = await initOn({DATABASE_URL: url, POSTGRES_URL: url, GYM_DATABASE_URL: url}, {});
  expect(Object.keys(config.stores)).toEqual(['postgres']);
});

test('the file is for its owner alone', async () => {
  const {file} = await initOn({}, {});
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('a file that is there is never written over, nor written to through a link', async () => {
  const open = () => memoryStore({}).connector;
  const there = path.join(cwd, 'sesstui.yaml');
  await writeFile(there, 'mine');
  await expect(initConfig({env: {}, cwd, open})).rejects.toMatchObject({
    code: 'usage',
    hint: expect.stringContaining('--out'),
  });
  expect(await readFile(there, 'utf8')).toBe('mine');
  await symlink(path.join(cwd, 'target'), path.join(cwd, 'link.yaml'));
  await expect(initConfig({env: {}, cwd, open, out: 'link.yaml'})).rejects.toMatchObject({code: 'usage'});
  await expect(stat(path.join(cwd, 'target'))).rejects.toThrow('ENOENT');
  await expect(initConfig({env: {}, cwd, open, out: 'no/such/file.yaml'})).rejects.toMatchObject({
    code: 'usage',
  });
});
