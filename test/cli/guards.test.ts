/** `sesstui guards …` as a user calls it, on PostgreSQL; and killed between its steps. */
import {spawn, spawnSync} from 'node:child_process';
import {readFile, rm, writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import type pg from 'pg';
import {beforeEach, expect, test} from 'vitest';
import type {GuardInfo, GuardResult, Proof} from '../../source/guards.js';
import {freshRegistry, registryConfiguration} from '../library/registry-bench.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {cli, cliJson, cliPath, temporaryDirectory} from '../support/cli.js';
import {onPglite} from '../support/on-postgres.js';

let client: pg.Client;
let url: string;
let cwd: string;

onPglite((server, opened) => {
  url = server.url;
  client = opened;
});
beforeEach(async () => {
  cwd = await temporaryDirectory();
  await client.query('drop schema public cascade; create schema public');
  await freshRegistry(client);
  await configure();
});

const configure = (settings: object = {environment: 'test'}): Promise<void> =>
  writeFile(join(cwd, 'sesstui.yaml'), JSON.stringify({...settings, ...registryConfiguration(url)}));

const check = 'registry/duplicates';
type Answer = {guards: GuardInfo[]; proofs: Proof[]; error?: {code: string; message: string}} & GuardResult;
const words = (args: string[]): string[] => [...args, '--state-dir', join(cwd, 'state')];
const json = (args: string[]) => cliJson<Answer>(words(args), {cwd});
const text = (args: string[]) => cli(words(args), {cwd});
const insert = (ids: string): Promise<unknown> =>
  client.query(
    `insert into app_session_keys (device_key, stream_id, session_ids, message_envelope) values ('d', 's', $1, 'e')`,
    [ids],
  );

test('the list says what each guard prevents and what to do next', async () => {
  const {code, json: answer} = await json(['guards']);
  expect(code).toBe(0);
  expect(answer.guards.map(({check: of, guard, state}) => [of, guard, state])).toEqual([
    [check, 'sort-trigger', 'missing'],
    [check, 'unique', 'missing'],
  ]);
  for (const {up, down} of answer.guards) expect(`${up}${down}`).toMatch(/begin;[\s\S]*commit;/i);
  const table = await text(['guards', check]);
  expect(table.stdout).toMatch(/unique +missing +A second row/);
  expect(table.stdout).toContain(`sesstui guards install ${check}`);
});

test('install: the plan without --yes, refused for findings, done with --clean; then undo', async () => {
  await insert('{a,b}');
  await insert('{b,a}');
  const before = await catalogueDump(client, 'public');
  const plan = await text(['guards', 'install', check]);
  expect(plan.code).toBe(0);
  expect(plan.stdout).toMatch(/Plan: .*Nothing was changed[\s\S]*1 duplicate[\s\S]*--yes --clean/);
  const refused = await json(['guards', 'install', check, '--yes']);
  expect([refused.code, refused.json.error?.code]).toEqual([2, 'usage']);
  expect(await catalogueDump(client, 'public')).toEqual(before);

  const {code, json: done} = await json(['guards', 'install', check, '--yes', '--clean', '--note', 'INC-9']);
  expect(code).toBe(0);
  expect(done.guards.map(({state}) => state)).toEqual(['installed', 'installed']);
  expect(done.runs.length).toBeGreaterThan(0);
  const again = await text(['guards', 'install', check, '--yes']);
  expect(again.stdout.match(/nothing to be done/g)).toHaveLength(1);
  const back = await text(['undo', done.run!, '--yes']);
  expect([back.code, back.stderr]).toEqual([0, '']);
  expect(await catalogueDump(client, 'public')).toEqual(before);
  expect((await text(['history', '--verify'])).code).toBe(0);
});

test('copies that differ are decided by the command that the refusal names', async () => {
  await insert('{b,a}');
  await insert('{b,a}');
  await client.query(
    "update app_session_keys set message_envelope = 'f' where ctid = (select min(ctid) from app_session_keys)",
  );
  const install = ['guards', 'install', check, '--clean', '--yes'];
  const refused = await json(install);
  expect([refused.code, refused.json.error?.code]).toEqual([2, 'usage']);
  const [, command] = /decide by group with `sesstui (clean .*)`/.exec(refused.json.error!.message)!;
  // As a shell takes it apart.
  const {stdout} = spawnSync('sh', ['-c', `printf '%s\\n' ${command}`], {encoding: 'utf8'});
  expect((await json([...stdout.trimEnd().split('\n'), '--yes'])).code).toBe(0);
  expect((await json(install)).code).toBe(0);
});

test('script prints nothing but the migration', async () => {
  const up = await text(['guards', 'script', check]);
  expect([up.code, up.stderr]).toEqual([0, '']);
  await insert('{b,a}');
  await client.query(up.stdout);
  await client.query(up.stdout);
  await expect(insert('{a,b}')).rejects.toThrow(/unique/);
  const one = await json(['guards', 'script', check, '--guard', 'unique', '--down']);
  expect(one.json).toMatchObject({check, guard: 'unique'});
});

test('test says what it would do, and with --yes proves each sentence', async () => {
  const plan = await text(['guards', 'test', check]);
  expect(plan.stdout).toContain('Would prove sort-trigger, unique');
  const {code, json: answer} = await json(['guards', 'test', check, '--yes', '--guard', 'sort-trigger']);
  expect(code).toBe(0);
  expect(answer.proofs.length).toBeGreaterThan(0);
  expect(answer.proofs.every(({passed, guard}) => passed && guard === 'sort-trigger')).toBe(true);
});

test('production asks for its name', async () => {
  await configure({environment: 'production', readOnly: false});
  for (const part of ['install', 'test']) {
    const {code, json: answer} = await json(['guards', part, check, '--yes']);
    expect([code, answer.error?.code]).toEqual([2, 'confirmation']);
  }
  const done = await json(['guards', 'install', check, '--yes', '--confirm', 'production']);
  expect(done.code).toBe(0);
});

test.each([
  [['guards', 'instal', check], /sub-command "instal"; the nearest is "install"/],
  [['guards', 'instal', check, '--yes'], /sub-command "instal"; the nearest is "install"/],
  [['guards', 'frobnicate', check], /^there is no check or sub-command "frobnicate"$/],
  [['guards', 'frobnicate', check, '--yes'], /^there is no check or sub-command "frobnicate"$/],
  [['guards', 'registry/duplicate'], /nearest is "registry\/duplicates"/],
  [['guards', 'registry/duplicate', check], /nearest is "registry\/duplicates"/],
  [['guards', 'duplicatez', check], /there is no check "duplicatez"/],
  [['guards', 'frobnicate'], /there is no check "frobnicate"/],
  [['guards', 'install'], /guards install needs a check/],
  [['guards', 'install', check, '--guard', 'uniqe'], /nearest is "unique"/],
  [['guards', '--yes'], /guards does not take --yes/],
  [['guards', 'script', check, '--yes'], /guards script does not take --yes/],
  [['guards', 'script', check, '--guard', 'unique', '--guard', 'sort-trigger'], /one --guard/],
])('%j is refused with what was meant', async (args, wanted) => {
  const {code, json: answer} = await json(args as string[]);
  expect([code, answer.error?.code]).toEqual([2, 'usage']);
  expect(answer.error!.message).toMatch(wanted as RegExp);
});

test('an unknown sub-command is told the known ones, and the checks', async () => {
  const {code, stderr} = await text(['guards', 'frobnicate', check]);
  expect(code).toBe(2);
  expect(stderr).toContain(
    `The sub-commands: guards install CHECK, guards uninstall CHECK, guards script CHECK, guards test CHECK. The checks: ${check}.`,
  );
});

const preload = resolve(import.meta.dirname, '../faults/steps.mjs');

/** Calls it and kills it before a write to its files; 0 only counts them. Returns the writes that it came to. */
const killedBefore = async (
  args: string[],
  at: number,
): Promise<{signal: string | null; writes: string[]}> => {
  const log = join(cwd, 'steps.log');
  await rm(log, {force: true});
  const child = spawn(process.execPath, ['--import', preload, cliPath, ...words(args)], {
    cwd,
    env: {
      ...process.env,
      SESSTUI_STEPS_STATE: join(cwd, 'state'),
      SESSTUI_STEPS_AT: String(at),
      SESSTUI_STEPS_DO: 'kill-before',
      SESSTUI_STEPS_KINDS: 'write',
      SESSTUI_STEPS_LOG: log,
    },
    stdio: 'ignore',
  });
  const signal = await new Promise<string | null>(done => child.on('close', (_, by) => done(by)));
  return {signal, writes: (await readFile(log, 'utf8').catch(() => '')).split('\n').filter(Boolean)};
};

test('killed between any two steps, another install goes on, and an uninstall leaves nothing', {
  timeout: 600_000,
}, async () => {
  const before = await catalogueDump(client, 'public');
  const install = ['guards', 'install', check, '--yes'];
  const {writes} = await killedBefore(install, 0);
  const journalled = writes.flatMap((line, index) => (line.includes('journal.jsonl') ? [index + 1] : []));
  expect(journalled.length).toBeGreaterThan(4);
  // A few, what was begun and not done and what was done and not written down among them; the fault suite has more.
  for (const at of journalled.filter((_, index) => index % 7 === 1)) {
    await client.query('drop schema public cascade; create schema public');
    await freshRegistry(client);
    await insert('{b,a}');
    await rm(join(cwd, 'state'), {recursive: true, force: true});
    expect((await killedBefore(install, at)).signal).toBe('SIGKILL');
    const killed = JSON.parse((await text(['history', '--json'])).stdout).runs;
    expect(killed.at(-1), `write ${at}`).toMatchObject({action: 'install-guards', state: 'interrupted'});
    const again = await json(install);
    expect([again.code, again.json.error], `write ${at}`).toEqual([0, undefined]);
    await expect(insert('{a,b}')).rejects.toThrow(/unique/);
    const {runs} = JSON.parse((await text(['history', '--json'])).stdout);
    expect(runs.filter(({state}: {state: string}) => state === 'interrupted')).toEqual([]);
    expect((await json(['guards', 'uninstall', check, '--yes'])).code).toBe(0);
    expect(await catalogueDump(client, 'public'), `write ${at}`).toEqual(before);
    expect((await text(['history', '--verify'])).code).toBe(0);
  }
});
