// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are configurations
/** Each mistake gets one clear message, the right exit code, and nothing else. */
import {spawn} from 'node:child_process';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {beforeAll, expect, test} from 'vitest';
import {cli, cliJson, cliPath, temporaryDirectory} from '../support/cli.js';

type Failure = {error: {code: string; message: string; hint: string}};

let directory: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
});

const file = async (text: string): Promise<string> => {
  const path = join(directory, `${Math.random().toString(36).slice(2)}.yaml`);
  await writeFile(path, text);
  return path;
};
const rides = (rest: string, url = 'postgres://127.0.0.1:1/x') => `environment: test
stores:
  rides:
    kind: postgres
    url: ${url}
    checks:
      - check: stale-sessions
${rest}`;

/** The failure of a call: its exit code, its code and its message with the hint; also as plain text without a stack. */
const failure = async (args: string[], env?: NodeJS.ProcessEnv) => {
  const {code, json} = await cliJson<Failure>(args, {cwd: directory, env});
  const plain = await cli(args, {cwd: directory, env});
  expect(plain.code).toBe(code);
  expect(plain.stdout).toBe('');
  expect(plain.stderr).not.toMatch(/^\s+at |node:internal|dist\//m);
  return {code, error: json.error.code, text: `${json.error.message}\n${json.error.hint}`};
};

test('no configuration', async () => {
  expect(await failure(['check'])).toMatchObject({
    code: 2,
    error: 'config',
    text: expect.stringContaining('sesstui init'),
  });
});

test('a configuration that is not there, or not YAML', async () => {
  expect(await failure(['check', '--config', 'nowhere.yaml'])).toMatchObject({
    code: 2,
    error: 'config',
    text: expect.stringContaining('nowhere.yaml'),
  });
  expect(await failure(['check', '--config', await file('stores: [')])).toMatchObject({
    code: 2,
    error: 'config',
  });
});

test('an unknown key is told with its line and the nearest one', async () => {
  const path = await file(rides('        waitingAfer: 15m\n'));
  const {code, text} = await failure(['check', '--config', path]);
  expect(code).toBe(2);
  expect(text).toContain(`${basename(path)}:8`);
  expect(text).toContain('waitingAfter');
});

test('an unset variable is named', async () => {
  expect(await failure(['check', '--config', await file(rides('', '${SESSTUI_TEST_UNSET}'))])).toMatchObject({
    code: 2,
    error: 'config',
    text: expect.stringContaining('SESSTUI_TEST_UNSET'),
  });
});

test('a URL of the wrong kind', async () => {
  const {code, text} = await failure([
    'check',
    '--config',
    await file(rides('', 'mongodb://user:hunter2@127.0.0.1/x')),
  ]);
  expect(code).toBe(2);
  expect(text).toContain('postgres://');
  expect(text).not.toContain('hunter2');
});

test('unknown commands, flags, checks and actions name the nearest', async () => {
  const path = await file(rides(''));
  expect(await failure(['chek'])).toMatchObject({
    code: 2,
    error: 'usage',
    text: expect.stringContaining('"check"'),
  });
  expect(await failure(['check', '--limt', '3'])).toMatchObject({
    code: 2,
    text: expect.stringContaining('--limit'),
  });
  expect(await failure(['check', '--limit'])).toMatchObject({
    code: 2,
    text: expect.stringContaining('needs a value'),
  });
  expect(await failure(['check', '--limit', 'many'])).toMatchObject({
    code: 2,
    text: expect.stringContaining('"many"'),
  });
  expect(await failure(['check', '--output', 'xml'])).toMatchObject({
    code: 2,
    text: expect.stringContaining('"xml"'),
  });
  expect(await failure(['check', 'rides/stale', '--config', path])).toMatchObject({
    code: 2,
    text: expect.stringContaining('rides/stale-sessions'),
  });
  expect(await failure(['clean', 'rides/stale-sessions', '--config', path])).toMatchObject({
    code: 2,
    text: expect.stringContaining('--action'),
  });
  expect(
    await failure(['clean', 'rides/stale-sessions', '--action', 'cancle', '--config', path]),
  ).toMatchObject({code: 2, text: expect.stringContaining('cancel')});
  expect(
    await failure([
      'clean',
      'rides/stale-sessions',
      '--action',
      'cancel',
      '--reason',
      'stale',
      '--config',
      path,
    ]),
  ).toMatchObject({code: 2, text: expect.stringContaining('stale-waiting')});
  expect(
    await failure([
      'clean',
      'rides/stale-sessions',
      '--action',
      'cancel',
      '--older-than',
      'yesterday',
      '--config',
      path,
    ]),
  ).toMatchObject({code: 2, text: expect.stringContaining('15m')});
  expect(await failure(['undo', 'yesterday', '--config', path, '--state-dir', directory])).toMatchObject({
    code: 2,
    error: 'usage',
  });
  expect(
    await failure(['undo', '20200101T000000Z-0000', '--config', path, '--state-dir', directory]),
  ).toMatchObject({code: 3, error: 'not-found'});
});

test('a store that is not there: the check is an error, without a credential, and beats exit 1', async () => {
  const path = await file(rides('', 'postgres://me:hunter2@127.0.0.1:1/x'));
  const {code, json} = await cliJson<{checks: {status: string; error: {code: string}}[]}>([
    'check',
    '--config',
    path,
  ]);
  expect(code).toBe(3);
  expect(json.checks[0]).toMatchObject({status: 'error', error: {code: 'unreachable'}});
  expect(JSON.stringify(json)).not.toContain('hunter2');
});

test('the screen without a terminal says what to do instead', async () => {
  const {code, stderr, stdout} = await cli(['--demo'], {cwd: directory});
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/terminal[\s\S]*sesstui check/);
});

test('a standard output that closes early ends the program without a word', async () => {
  const path = await file(rides(''));
  const child = spawn(process.execPath, [cliPath, 'check', '--json', '--config', path]);
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  await new Promise(done => child.on('close', done));
  expect(stderr).toBe('');
});

test('nothing was written by any of these', async () => {
  expect((await readdir(directory)).filter(name => !name.endsWith('.yaml'))).toEqual([]);
});

test('init does not overwrite, and writes no credential', async () => {
  const empty = await temporaryDirectory();
  const env = {DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/x', MONGODB_URI: '', AWS_REGION: ''};
  const first = await cli(['init'], {cwd: empty, env});
  expect(first.code, first.stderr).toBe(0);
  const text = await readFile(join(empty, 'sesstui.yaml'), 'utf8');
  expect(text).toContain('${DATABASE_URL}');
  expect(`${text}${first.stdout}${first.stderr}`).not.toContain('hunter2');
  expect((await cliJson<Failure>(['init'], {cwd: empty, env})).code).toBe(2);
});

test('a value that starts with a dash is a value, and never lost', async () => {
  const path = await file(rides(''));
  for (const flag of ['--group', '--customer', '--id', '--reason'])
    expect(
      await failure([
        'clean',
        'rides/stale-sessions',
        '--action',
        'cancel',
        '--config',
        path,
        flag,
        '-alice',
      ]),
    ).not.toMatchObject({code: 0});
  expect(await failure(['check', '--limit', '-x', '--config', path])).toMatchObject({
    code: 2,
    text: expect.stringContaining('-x'),
  });
  expect(await failure(['clean', 'x', '--older-than', '-5m', '--config', path])).toMatchObject({
    code: 2,
    text: expect.stringContaining('-5m'),
  });
  expect(await failure(['check', '--limit', '2', '--limit', '3', '--config', path])).toMatchObject({
    code: 2,
    text: expect.stringContaining('2 times'),
  });
});
