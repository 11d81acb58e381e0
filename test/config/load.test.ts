// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are configurations
import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {environmentSecrets} from '../../source/config/environment.js';
import {configFromObject, loadConfig, parseConfig} from '../../source/config/load.js';
import {locateConfig} from '../../source/config/locate.js';
import {urlSecrets} from '../../source/config/urls.js';
import {asSesstuiError, type SesstuiError} from '../../source/errors.js';

const env = {
  GYM_DATABASE_URL: 'postgres://gym:hunter2%21@db.internal/gym',
  MONGODB_URI: 'mongodb://app:s3cret!@a:27017,b:27017/?authSource=admin',
  MONGODB_DB: 'chat',
  SESSION_SALT: 'pepper-and-salt',
};

const whole = `environment: staging
readOnly: false
limits: {changes: 500}
identities: [{store: gym, table: members, id: id, email: email}]
stores:
  chat:
    kind: mongodb
    url: \${MONGODB_URI}
    database: \${MONGODB_DB}
    checks:
      - check: null-ids
        collection: conversations
        touch: updatedAt
  gym:
    kind: postgres
    url: \${GYM_DATABASE_URL}
    checks:
      - check: device-sessions
        table: auth_sessions
        fingerprint: {salt: '\${SESSION_SALT:-}'}
      - check: stale-sessions
        sessions: {collection: rides.sessions}
        requests: {session: null}
`;

describe('a configuration that is right', () => {
  const {config, canaries} = parseConfig(whole, 'sesstui.yaml', env);

  test('has its variables filled in, its defaults, and one spelling of table', () => {
    expect(config).toMatchObject({
      environment: 'staging',
      refresh: '5s',
      limits: {changes: 500, share: 0.2, scan: 5_000_000},
      stores: {
        chat: {
          url: env.MONGODB_URI,
          database: 'chat',
          timeout: '30s',
          checks: [{table: 'conversations', id: 'sessionId'}],
        },
        gym: {
          checks: [
            {fingerprint: {salt: 'pepper-and-salt', prefix: 'bg-', length: 64}},
            {
              sessions: {table: 'rides.sessions', customer: 'customer_id'},
              requests: {table: 'session_requests', session: null},
            },
          ],
        },
      },
    });
    expect(config.stores.chat!.checks[0]).not.toHaveProperty('collection');
  });

  test('tells its secrets, and nothing else, to the redactor', () => {
    expect(new Set(canaries)).toEqual(new Set(['s3cret!', 'hunter2%21', 'hunter2!', 'pepper-and-salt']));
  });
});

test('secrets that drivers read by themselves are canaries as well', () => {
  const {canaries} = parseConfig('stores: {}', 'f', {
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI',
    HOME: '/home/ann',
  });
  expect(canaries).toEqual(['wJalrXUtnFEMI']);
});

test('numbers and booleans may come from variables, but not from quoted text', () => {
  const text = 'readOnly: ${RO}\nlimits: {changes: "${N}", share: "${S:-0.5}"}\nstores: {}';
  expect(parseConfig(text, 'f', {RO: 'true', N: '12'}).config).toMatchObject({
    readOnly: true,
    limits: {changes: 12, share: 0.5},
  });
  expect(() => parseConfig('readOnly: "true"\nstores: {}', 'f', {})).toThrow(
    'f:1: readOnly: "true" is not true or false',
  );
  expect(() => parseConfig(text, 'f', {RO: 'maybe', N: '12'})).toThrow(
    'f:1: readOnly: "maybe" is not true or false (from RO)',
  );
});

test('JSON, tabs and a byte order mark are fine; sections may be left empty', () => {
  expect(parseConfig('{\n\t"$schema": "x",\n\t"stores": {}\n}', 'sesstui.json', {}).config.stores).toEqual(
    {},
  );
  const {config} = parseConfig(
    'limits:\nstores:\n  kite:\n    kind: dynamodb\n    endpoint: ${E:-}\n    checks:\n',
    'f',
    {},
  );
  expect(config.stores.kite).toEqual({
    kind: 'dynamodb',
    region: 'us-east-1',
    endpoint: undefined,
    timeout: '30s',
    checks: [],
  });
});

/** The lines of the error that a text gives. */
const errorOf = (text: string, variables: NodeJS.ProcessEnv = {}): SesstuiError => {
  try {
    parseConfig(text, 'sesstui.yaml', variables);
  } catch (error) {
    return asSesstuiError(error);
  }
  throw new Error('it was accepted');
};

const store = (check: string): string =>
  `stores:\n  rides:\n    kind: dynamodb\n    checks:\n      - ${check}\n`;

const stale = 'check: stale-sessions';

test.each<[name: string, text: string, expected: string]>([
  [
    'a wrong duration',
    store(`${stale}\n        waitingAfter: 15 min`),
    'sesstui.yaml:6: stores.rides.checks[0].waitingAfter: "15 min" is not a duration like 90s, 15m, 2h or 7d',
  ],
  [
    'a duration without a unit',
    'refresh: 5\nstores: {}',
    'sesstui.yaml:1: refresh: 5 is not a duration like 90s, 15m, 2h or 7d',
  ],
  [
    'an unknown key',
    store(`${stale}\n        waiting_after: 5m`),
    'sesstui.yaml:6: stores.rides.checks[0].waiting_after: is not a known key: did you mean waitingAfter?',
  ],
  [
    'an unknown key that is like none',
    'colour: red\nstores: {}',
    'sesstui.yaml:1: colour: is not a known key (known here: environment, readOnly, refresh, limits, identities, stores)',
  ],
  [
    'a mistyped collection',
    store('check: null-ids\n        table: t\n        colection: x'),
    'sesstui.yaml:7: stores.rides.checks[0].colection: is not a known key: did you mean collection?',
  ],
  [
    'both spellings',
    store('check: null-ids\n        table: t\n        collection: x'),
    'sesstui.yaml:7: stores.rides.checks[0].table: table and collection are two spellings of one key',
  ],
  [
    'a key twice',
    'refresh: 5s\nrefresh: 6s\nstores: {}',
    'sesstui.yaml:2: refresh: is there twice (first in line 1)',
  ],
  [
    'an unknown check',
    store('check: stale-session'),
    'sesstui.yaml:5: stores.rides.checks[0].check: "stale-session" is not duplicates, null-ids, stale-sessions or device-sessions: did you mean stale-sessions?',
  ],
  [
    'an unknown kind',
    'stores: {a: {kind: mongo}}',
    'sesstui.yaml:1: stores.a.kind: "mongo" is not postgres, mongodb or dynamodb: did you mean mongodb?',
  ],
  [
    'a missing kind',
    'stores: {a: {region: x}}',
    'sesstui.yaml:1: stores.a.kind: is missing: it is postgres, mongodb or dynamodb',
  ],
  [
    'no groupBy',
    store('check: duplicates\n        table: t'),
    'sesstui.yaml:5: stores.rides.checks[0].groupBy: is missing',
  ],
  [
    'keep: latest alone',
    store('check: duplicates\n        table: t\n        groupBy: [a]\n        keep: latest'),
    'sesstui.yaml:8: stores.rides.checks[0].keep: "latest" needs latestBy',
  ],
  [
    'a canonical id that is the same for all',
    store('check: duplicates\n        table: t\n        groupBy: [a]\n        canonicalId: sess_'),
    'sesstui.yaml:8: stores.rides.checks[0].canonicalId: "sess_" holds no {attribute}',
  ],
  [
    'two checks of a kind',
    store(`${stale}\n      - ${stale}`),
    'sesstui.yaml:6: stores.rides.checks[1]: rides/stale-sessions is also the id of checks[0]: give one of them a name',
  ],
  [
    'two checks of a name',
    store(`${stale}\n        name: x\n      - ${stale}\n        name: x`),
    'sesstui.yaml:8: stores.rides.checks[1].name: rides/x is also the id of checks[0]',
  ],
  [
    'an identity of no store',
    'stores: {rides: {kind: dynamodb}}\nidentities: [{store: ride, table: t, id: i, email: e}]',
    'sesstui.yaml:2: identities[0].store: "ride" is not a store of this configuration: did you mean rides?',
  ],
  [
    'an empty value',
    'stores:\n  a:',
    'sesstui.yaml:2: stores.a: is empty: give it a value, or remove the key',
  ],
  [
    'an empty variable',
    'stores:\n  a:\n    kind: postgres\n    url: ${U}',
    'sesstui.yaml:4: stores.a.url: must not be empty (from U)',
  ],
  [
    'a bad name',
    'stores:\n  "a b": {kind: dynamodb}',
    'sesstui.yaml:2: stores["a b"]: this name may hold letters, digits, _ and - only',
  ],
  [
    'a prototype',
    'stores:\n  __proto__: {kind: dynamodb}',
    'sesstui.yaml:2: stores.__proto__: is not allowed as a key',
  ],
  ['a constructor', 'stores: {constructor: {kind: dynamodb}}', 'stores.constructor: is not allowed as a key'],
  ['a tab', 'stores:\n\ta: 1', 'sesstui.yaml:2: is indented with a tab; YAML wants spaces'],
  [
    'a variable that needs quotes',
    'limits: {changes: ${N}}\nstores: {}',
    'sesstui.yaml:1: something is there that does not belong: check quotes, brackets and indentation (inside { } and [ ], ${…} needs quotes)',
  ],
  ['an open quote', 'environment: "staging\nstores: {}\n', 'is not closed'],
  ['two documents', 'stores: {}\n---\nstores: {}', 'sesstui.yaml:2: holds more than one document'],
  ['a tag', 'stores: !!set {a}', 'sesstui.yaml:1: has a tag'],
  [
    'an alias of nothing',
    'refresh: *a\nstores: {}',
    'sesstui.yaml:1: refresh: refers to *a, which no &a before it defines',
  ],
  ['an anchor in itself', 'stores: &a {x: *a}', 'holds too much'],
  ['nothing', '', 'sesstui.yaml: is empty'],
  ['only comments', '# stores\n', 'sesstui.yaml: is empty'],
  ['a list', '- a', 'sesstui.yaml: is not a map of keys and values'],
  ['a word', 'stores', 'sesstui.yaml: is not a map of keys and values'],
  ['binary', 'a\0b: 1', 'sesstui.yaml: holds a control character in line 1'],
  ['brackets without end', '['.repeat(100_000), 'nests deeper than a configuration does'],
  ['lists without end', '- '.repeat(100_000), 'nests deeper than a configuration does'],
])('%s is told with its place', (_, text, expected) => {
  const error = errorOf(text, {U: ''});
  expect(error.code).toBe('config');
  expect(error.message).toContain(expected);
  expect(error.hint).not.toBe('');
});

test('a bomb of anchors is refused, and soon', () => {
  const levels = Array.from(
    {length: 9},
    (_, level) =>
      `${'abcdefghi'[level]}: &${'abcdefghi'[level]} [${Array(9)
        .fill(level === 0 ? '1' : `*${'abcdefghi'[level - 1]}`)
        .join(',')}]`,
  );
  expect(errorOf(levels.join('\n')).message).toMatch(/^sesstui\.yaml:1: holds too much at [^\n]*$/);
});

test('an unset variable is named, with its key and its line, and gives no second problem', () => {
  const error = errorOf(
    'stores:\n  gym:\n    kind: postgres\n    url: ${GYM_DATABASE_URL}\n  chat:\n    kind: ${KIND}\n',
  );
  expect(error.message).toBe(
    'sesstui.yaml:4: stores.gym.url: the environment variable GYM_DATABASE_URL is not set\n' +
      'sesstui.yaml:6: stores.chat.kind: the environment variable KIND is not set',
  );
  expect(error.hint).toContain('GYM_DATABASE_URL, KIND');
});

test('all problems are told at once, in the order of the file', () => {
  const error = errorOf('refresh: soon\nlimits: {share: 2, chnges: 1}\nstores: {a: {kind: dynamo}, b: 5}');
  expect(error.message.split('\n').map(line => line.split(': ').slice(0, 2).join(': '))).toEqual([
    'sesstui.yaml:1: refresh',
    'sesstui.yaml:2: limits.share',
    'sesstui.yaml:2: limits.chnges',
    'sesstui.yaml:3: stores.a.kind',
    'sesstui.yaml:3: stores.b',
  ]);
});

test.each([
  'stores:\n  a: {kind: postgres, url: "mysql://ann:CANARY77@h/db?sslpassword=CANARY77"}',
  'stores:\n  a: {kind: postgres, url: "CANARY77"}',
  'stores:\n  a: {kind: mongodb, url: "mongo://u:CAN/ARY77@h", database: CANARY77x}',
  'stores:\n  a: {kind: postgres, url: "http://${DB_PASSWORD}", password: "${DB_PASSWORD}"}',
  'stores:\n  a: {kind: postgres, url: "postgres://u:CANARY77@h", "CANARY77": 1}',
  'stores:\n  a: {kind: dynamodb, region: "${DB_PASSWORD}", checks: ["${DB_PASSWORD}"]}',
  'stores:\n  a: {kind: dynamodb, checks: [{check: device-sessions, table: t, fingerprint: {salt: CANARY77, x: CANARY77}}]}\nCANARY77',
])('no error shows a secret: %#', text => {
  const {message} = errorOf(text, {DB_PASSWORD: 'CANARY77'});
  expect(message).not.toMatch(/CANARY77(?!x)|CAN\/ARY/);
});

test('what a file holds reaches the terminal only as visible text', () => {
  const {message} = errorOf('"a\\u001b[2J\\u202e": 1\nrefresh: "\\u009b"\nstores: {}');
  expect(message).toContain('\\u202e');
  expect(message).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
});

describe('an object', () => {
  test('is taken as it is: no variables, its secrets told', () => {
    const {config, canaries} = configFromObject({
      stores: {gym: {kind: 'postgres', url: 'postgres://u:p$$${Y}@h/x'}},
    });
    expect(config.stores.gym).toMatchObject({url: 'postgres://u:p$$${Y}@h/x', timeout: '30s'});
    expect(canaries).toEqual(['p$$${Y}']);
  });

  test('is checked as a file is', () => {
    const circular: Record<string, unknown> = {stores: {}};
    circular.self = circular;
    for (const [object, expected] of [
      [
        {stores: {a: {kind: 'dynamodb', chekcs: []}}},
        'configuration: stores.a.chekcs: is not a known key: did you mean checks?',
      ],
      [{stores: {a: () => 1}}, 'stores.a: is not a kind of value'],
      [JSON.parse('{"__proto__": {}, "stores": {}}'), '__proto__: is not allowed as a key'],
      [circular, 'holds too much'],
      [null, 'is not a map'],
    ] as const)
      expect(() => configFromObject(object)).toThrow(expected);
  });
});

describe('a file', () => {
  let cwd: string;
  let userDirectory: string;
  beforeEach(async () => {
    cwd = await mkdtemp(path.join(tmpdir(), 'sesstui-config-'));
    userDirectory = path.join(cwd, 'user');
    await mkdir(userDirectory);
  });
  afterEach(() => rm(cwd, {recursive: true, force: true}));

  test('is looked for where one works, then where the user keeps configurations', async () => {
    await expect(locateConfig({cwd, userDirectory})).rejects.toMatchObject({
      code: 'config',
      hint: expect.stringContaining('sesstui init'),
    });
    await writeFile(path.join(userDirectory, 'sesstui.yaml'), 'stores: {}');
    expect(await locateConfig({cwd, userDirectory})).toBe(path.join(userDirectory, 'sesstui.yaml'));
    await writeFile(path.join(cwd, 'sesstui.json'), '{}');
    expect(await locateConfig({cwd, userDirectory})).toBe(path.join(cwd, 'sesstui.json'));
    await writeFile(path.join(cwd, 'sesstui.yaml'), 'stores: {}');
    expect(await locateConfig({cwd, userDirectory})).toBe(path.join(cwd, 'sesstui.yaml'));
    expect(await locateConfig({cwd, userDirectory, file: 'other.yaml'})).toBe(path.join(cwd, 'other.yaml'));
  });

  test('is loaded, with what the flags override', async () => {
    await writeFile(
      path.join(cwd, 'sesstui.yaml'),
      '\ufeffreadOnly: false\nstores: {kite: {kind: dynamodb}}',
    );
    const overrides = {readOnly: true, timeout: '5s'} as const;
    const {config, file} = await loadConfig({cwd, env: {}, overrides});
    expect(file).toBe(path.join(cwd, 'sesstui.yaml'));
    expect(config).toMatchObject({readOnly: true, stores: {kite: {timeout: '5s'}}});
    await expect(loadConfig({cwd, env: {}, overrides: {timeout: 'soon'}})).rejects.toMatchObject({
      code: 'usage',
    });
  });

  test('is called by its path from here in messages', async () => {
    await writeFile(path.join(cwd, 'sesstui.yaml'), 'store: {}');
    await expect(loadConfig({cwd, env: {}})).rejects.toThrow(
      'sesstui.yaml:1: store: is not a known key: did you mean stores?',
    );
    await expect(loadConfig({cwd, env: {}})).rejects.not.toThrow(cwd);
  });

  test.each<[name: string, make: (file: string) => Promise<unknown>, expected: string]>([
    ['that is not there', async () => undefined, 'is not there'],
    ['that is a directory', file => mkdir(file), 'is a directory'],
    ['that is a link to itself', file => symlink(file, file), 'is a link to itself'],
    ['that is not UTF-8', file => writeFile(file, Buffer.from([0x61, 0xff, 0xfe])), 'is not UTF-8'],
    ['that is far too large', file => writeFile(file, '#'.repeat(1024 * 1024 + 1)), 'is larger than 1 MiB'],
  ])('%s is told as that', async (_, make, expected) => {
    const file = path.join(cwd, 'given.yaml');
    await make(file);
    await expect(loadConfig({file, cwd, env: {}})).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining(expected),
    });
  });

  test('that can not be read is told as that', async () => {
    // A file that even root can't read: the memory of a process, from its unmapped beginning.
    await expect(loadConfig({file: '/proc/self/mem', cwd, env: {}})).rejects.toMatchObject({code: 'config'});
  });
});

test('a name with U+0000 in it is refused, with its place', () => {
  const text =
    'stores:\n  s:\n    kind: mongodb\n    url: mongodb://h\n    database: "a\\0b"\n    checks: []\n';
  expect(() => parseConfig(text, 'f.yaml', {})).toThrow(/f\.yaml:5: stores\.s\.database: .*NUL/);
});

test('an address that is none still has its password kept out of messages', () => {
  for (const url of [
    'gym:canary-pass@host/db',
    'gym:canary-pass'.concat('@h'),
    'postgres:/gym:canary-pass@h',
  ])
    expect(urlSecrets(url)).toContain('canary-pass');
  expect(
    environmentSecrets({
      PGPASSWORD: 'canary-pass',
      A_URL: 'postgres://u:canary%2Dtwo@h',
      MY_TOKEN: 'short',
      HOME: '/home/x',
      PWD: '/work/where/one/is',
      OLDPWD: '/work/where/one/was',
      INIT_CWD: '/srv:8/a@b/somewhere',
      PATH: '/bin:/opt/homebrew/opt/node@20/bin',
      npm_lifecycle_script: 'run here:something-long@place',
      SESSTUI_PWD: 'canary-three',
      npm_config__authToken: 'canary-four',
    }),
  ).toEqual(['canary-pass', 'canary%2Dtwo', 'canary-two', 'canary-three', 'canary-four']);
});
