import {execFile} from 'node:child_process';
import {cp, mkdir, mkdtemp, readdir, rm, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';

let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'sesstui-install-'));
  for (const folder of ['servers', 'support/ferretdb'])
    await cp(join(import.meta.dirname, '..', folder), join(project, 'test', folder), {recursive: true});
  await mkdir(join(project, 'path'));
  await symlink(process.execPath, join(project, 'path', 'node'));
});
afterEach(() => rm(project, {recursive: true, force: true}));

/** Where no program is on the path but Node. */
const install = (env: Record<string, string>): Promise<{code: number; lines: string[]}> =>
  new Promise(resolve => {
    const program = join(project, 'test', 'servers', 'install.mjs');
    execFile(process.execPath, [program], {env: {PATH: join(project, 'path'), ...env}}, (error, stdout) =>
      resolve({code: error ? Number(error.code) : 0, lines: stdout.trimEnd().split('\n')}),
    );
  });

test('what can not be had is told with its reason, and only CI fails on it', async () => {
  const here = await install({CI: ''});
  expect(here.code).toBe(0);
  expect(here.lines).toContain('without DynamoDB Local: there is no program mvn');
  expect(here.lines).toContain('without FerretDB: there is no program go');
  expect(here.lines).toContain('without MongoDB 6: there is no program python3');
  const ci = await install({CI: 'true', SESSTUI_TEST_MONGO_URL: 'mongodb://u:canary-51c2@host/x'});
  expect(ci.code).toBe(1);
  expect(ci.lines).toContain('FAILED FerretDB: there is no program go');
  expect(ci.lines.at(-1)).toBe('has a MongoDB: the one that SESSTUI_TEST_MONGO_URL names');
  expect(ci.lines.join()).not.toContain('canary');
  // Nothing half of a server stays behind.
  expect(await readdir(join(project, '.servers')).catch(() => [])).toEqual([]);
});
