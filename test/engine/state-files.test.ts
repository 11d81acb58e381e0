/** Files of the state directory, by the file system itself: made anew, no link followed, on disk when told so (S4, S10). */
import {existsSync, readFileSync} from 'node:fs';
import {chmod, type FileHandle, mkdir, open, readdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {beforeAll, beforeEach, expect, test, vi} from 'vitest';
import {makeRunDirectory, type PlanHeader, RunFiles} from '../../source/engine/disk/run-files.js';
import {JsonLines, writeNewFile} from '../../source/engine/disk/state-files.js';
import {UnitSpool} from '../../source/engine/plan/units.js';
import {temporaryDirectory} from '../support/cli.js';

/** What every open file is made of: calls to the disk are watched, or fail, there. */
let handles: FileHandle;
let directory: string;

beforeAll(async () => {
  const file = await open(import.meta.filename);
  handles = Object.getPrototypeOf(file) as FileHandle;
  await file.close();
});
beforeEach(async () => {
  directory = await temporaryDirectory();
  return () => vi.restoreAllMocks();
});

test('a file that is there is not written over', async () => {
  const path = join(directory, 'backup.jsonl');
  await writeFile(path, 'of another run\n');
  await expect(JsonLines.open(path)).rejects.toMatchObject({
    code: 'state',
    message: expect.stringContaining(path),
  });
  await expect(writeNewFile(path, 'mine')).rejects.toMatchObject({code: 'usage'});
  expect(await readFile(path, 'utf8')).toBe('of another run\n');
});

test.each([false, true])('a link is not followed (existing files: %s)', async existing => {
  const target = join(directory, 'target');
  const path = join(directory, 'journal.jsonl');
  await writeFile(target, 'keep\n');
  await symlink(target, path);
  await expect(JsonLines.open(path, existing)).rejects.toMatchObject({code: 'state'});
  await expect(writeNewFile(path, 'mine')).rejects.toMatchObject({code: 'usage'});
  expect(await readFile(target, 'utf8')).toBe('keep\n');
});

test('a directory that others may write to is refused', async () => {
  const state = join(directory, 'state');
  await mkdir(state);
  await chmod(state, 0o777);
  await expect(makeRunDirectory(state, new Date())).rejects.toMatchObject({
    code: 'state',
    message: expect.stringContaining('may be written by others'),
  });
  expect(await readdir(state)).toEqual([]);
});

test('a directory of runs that lies elsewhere is refused', async () => {
  const elsewhere = join(directory, 'elsewhere');
  await mkdir(elsewhere);
  await symlink(elsewhere, join(directory, 'runs'));
  await expect(makeRunDirectory(directory, new Date())).rejects.toMatchObject({
    code: 'state',
    message: expect.stringContaining('is a symbolic link'),
  });
  expect(await readdir(elsewhere)).toEqual([]);
});

test('what was appended is synced when append returns, and a new name before that', async () => {
  const calls: string[] = [];
  const watch = (name: 'appendFile' | 'datasync' | 'sync'): void => {
    const original = handles[name];
    vi.spyOn(handles, name).mockImplementation(async function watched(this: FileHandle, ...given: unknown[]) {
      await (original as (...all: unknown[]) => Promise<void>).apply(this, given);
      calls.push(name);
    });
  };
  for (const name of ['appendFile', 'datasync', 'sync'] as const) watch(name);
  const file = await JsonLines.open(join(directory, 'journal.jsonl'));
  expect(calls).toEqual(['sync']);
  await file.append([{n: 1}, {n: 2}]);
  await file.append([{n: 3}]);
  expect(calls).toEqual(['sync', 'appendFile', 'datasync', 'appendFile', 'datasync']);
  await file.close();
});

test('a sync that fails is a write that failed, and leaves nothing of it behind', async () => {
  const path = join(directory, 'journal.jsonl');
  const file = await JsonLines.open(path);
  await file.append([{n: 1}]);
  vi.spyOn(handles, 'datasync').mockRejectedValueOnce(Object.assign(new Error('EIO'), {code: 'EIO'}));
  await expect(file.append([{n: 2}])).rejects.toMatchObject({
    code: 'state',
    message: expect.stringContaining('(EIO)'),
  });
  await file.append([{n: 3}]);
  await file.close();
  expect(await readFile(path, 'utf8')).toBe('{"n":1}\n{"n":3}\n');
});

test('when the files of a run are made its backup is whole; without room for it they are not made', async () => {
  const units = new UnitSpool(directory);
  for (let id = 0; id < 50; id++) {
    const seen = {table: 't', identity: {by: 'key' as const, at: {id}}, version: 'v', image: {id}};
    await units.add({group: null, changes: [{...seen, op: 'delete'}]});
  }
  const make = async (): Promise<{path: string; made: ReturnType<typeof RunFiles.create>}> => {
    const run = await makeRunDirectory(directory, new Date());
    const header = {run, at: new Date().toISOString(), planned: 50} as PlanHeader;
    const path = join(directory, 'runs', run, 'backup.jsonl');
    return {path, made: RunFiles.create(directory, header, units, [])};
  };
  const {path, made} = await make();
  const {files} = await made;
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  expect(lines).toHaveLength(52);
  expect(JSON.parse(lines[50]!)).toMatchObject({records: 50});
  await files.close();
  const {appendFile} = handles;
  vi.spyOn(handles, 'appendFile').mockImplementation(async function full(this: FileHandle, text) {
    if (String(text).includes('"image"')) throw Object.assign(new Error('ENOSPC'), {code: 'ENOSPC'});
    await appendFile.call(this, text);
  });
  await expect((await make()).made).rejects.toMatchObject({code: 'state'});
});
