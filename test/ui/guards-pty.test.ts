/** Guards in a real terminal on a real store: seen, planned with the cleaning, installed, working, taken away again. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type pg from 'pg';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {stringify} from 'yaml';
import {demoConfig} from '../../source/demo/config.js';
import {startPostgresEmbedded} from '../../source/demo/postgres-embedded.js';
import {demoPostgresClient} from '../../source/demo/seed-load-postgres.js';
import {demoSystems} from '../../source/demo/seed-stores.js';
import {cliPath, temporaryDirectory} from '../support/cli.js';
import {openPty} from '../support/pty.js';

let server: Awaited<ReturnType<typeof startPostgresEmbedded>>;
let client: pg.Client;
let directory: string;

beforeAll(async () => {
  server = await startPostgresEmbedded({});
  directory = await temporaryDirectory();
  const {stores, ...rest} = demoConfig({dynamodb: '', mongodb: '', postgres: server.url});
  await writeFile(
    join(directory, 'sesstui.yaml'),
    stringify({...rest, identities: [], stores: {gym: stores.gym}}),
  );
  const gym = demoSystems.find(({store}) => store === 'gym')!;
  await gym.fill(server.url, {rows: 60, seed: 1}, new AbortController().signal);
  client = demoPostgresClient(server.url);
  await client.connect();
}, 60_000);
afterAll(async () => {
  await client?.end();
  await server?.close();
});

/** The fault: a background session of an email that has one. */
const loginTwice = () =>
  client.query(
    `insert into auth_sessions select (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).*
     from auth_sessions s where session_type = 'background' limit 1`,
  );
const objects = async (): Promise<string[]> => {
  const {rows} = await client.query(
    `select indexname as name from pg_indexes where tablename = 'auth_sessions'
     union select tgname from pg_trigger where tgrelid = 'auth_sessions'::regclass order by 1`,
  );
  return rows.map(({name}: {name: string}) => name);
};

test('the guards of a check are installed over findings, hold, and are taken away again', async () => {
  const before = await objects();
  const files = ['--config', join(directory, 'sesstui.yaml'), '--state-dir', join(directory, 'state')];
  const pty = openPty(process.execPath, [cliPath, ...files], {columns: 100, rows: 30});
  await pty.until(/gym\/device-sessions.*up/);
  pty.write('6');
  await pty.until(/> │ ✘ missing {5}│ gym\/device-sessions/);
  pty.write('X');
  await pty.until('so it is refused');
  pty.write('x');
  await pty.until('in the way: c cleans them in the same go.');
  pty.write('c');
  await pty.until('cleaned in the same go');
  expect(await objects()).toEqual(before);
  pty.write('x');
  await pty.until('Tab or arrows move');
  expect(pty.screen()).toContain('[> Cancel <]');
  pty.write('\t');
  await pty.until('[> Clean and install <]');
  pty.write('\r');
  await pty.until('Done: install');
  expect(pty.screen()).toMatch(/✔ installed {3}one-background/);
  expect(pty.screen()).toMatch(/Run \S+ mended rows for it/);
  await expect(loginTwice()).rejects.toMatchObject({code: '23505'});

  pty.write('\r');
  await pty.until(/> │ ✔ installed/);
  for (const name of ['one-background', 'protect-background']) {
    await pty.until(new RegExp(`> │ ✔ installed +│ gym/device-sessions +│ ${name}`));
    pty.write('x');
    await pty.until(`Plan: uninstall ${name}`);
    pty.write('x');
    await pty.until('Tab or arrows move');
    pty.write('\t');
    await pty.until('[> Uninstall <]');
    pty.write('\r');
    await pty.until('Done: uninstall');
    pty.write('\r');
    await pty.until(new RegExp(`> │ ✘ missing +│ gym/device-sessions +│ ${name}`));
    pty.write('j');
  }
  expect(await objects()).toEqual(before);
  await loginTwice();
  pty.write('q');
  expect(await pty.ended).toBe(0);
}, 60_000);
