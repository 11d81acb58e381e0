/** What the watch keeps over a restart. */
import {execFile} from 'node:child_process';
import {lstatSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {SesstuiError} from '../../source/errors.js';
import {openMemory} from '../../source/watch/memory.js';

const directory = (): string => mkdtempSync(join(tmpdir(), 'sesstui-memory-'));
const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);

test('what is kept is there for the next process, for this user alone', async () => {
  const state = directory();
  expect(await openMemory(state).read('alerts')).toBeNull();
  await openMemory(state).update<number>('alerts', before => (before ?? 0) + 1);
  await openMemory(state).update<number>('alerts', before => (before ?? 0) + 1);
  expect(await openMemory(state).read('alerts')).toBe(2);
  expect(modeOf(join(state, 'watch'))).toBe('700');
  expect(modeOf(join(state, 'watch/alerts.json'))).toBe('600');
});

test('a name never leaves the directory', async () => {
  const state = directory();
  await openMemory(state).update('../rides/stale-sessions', () => 1);
  expect(readFileSync(join(state, 'watch/..%2Frides%2Fstale-sessions.json'), 'utf8')).toBe('1\n');
});

test('updates of several processes at once are all kept', async () => {
  const state = directory();
  const memory = resolve(import.meta.dirname, '../../dist/source/watch/memory.js');
  const child = `import {openMemory} from ${JSON.stringify(memory)};
    const memory = openMemory(${JSON.stringify(state)});
    await Promise.all(Array.from({length: 10}, () => memory.update('count', before => (before ?? 0) + 1)));`;
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', child]);
  await Promise.all([run(), run(), run()]);
  expect(await openMemory(state).read('count')).toBe(30);
});

test('a damaged file is moved aside and told, and the next update begins anew', async () => {
  const state = directory();
  const told: string[] = [];
  const memory = openMemory(state, text => told.push(text));
  await memory.update('alerts', () => ({a: 1}));
  writeFileSync(join(state, 'watch/alerts.json'), '{"a":');
  expect(await memory.read('alerts')).toBeNull();
  expect(told).toHaveLength(1);
  expect(readFileSync(join(state, 'watch/alerts.json.damaged'), 'utf8')).toBe('{"a":');
  expect(await memory.update<{a: number}>('alerts', before => before ?? {a: 2})).toEqual({a: 2});
});

test('a half-written file of a killed process is no hindrance', async () => {
  const state = directory();
  const memory = openMemory(state);
  await memory.update('alerts', () => 1);
  writeFileSync(join(state, 'watch/alerts.json.new'), '{"hal');
  expect(await memory.read('alerts')).toBe(1);
  expect(await memory.update<number>('alerts', before => before! + 1)).toBe(2);
});

test('no symbolic link is followed, neither to a file nor to the directory', async () => {
  const state = directory();
  const elsewhere = directory();
  mkdirSync(join(state, 'watch'), {mode: 0o700});
  writeFileSync(join(elsewhere, 'x.json'), '7');
  symlinkSync(join(elsewhere, 'x.json'), join(state, 'watch/x.json'));
  await expect(openMemory(state).read('x')).rejects.toThrow(SesstuiError);
  await expect(openMemory(state).update('x', () => 8)).rejects.toThrow(SesstuiError);
  expect(readFileSync(join(elsewhere, 'x.json'), 'utf8')).toBe('7');

  const other = directory();
  symlinkSync(elsewhere, join(other, 'watch'));
  await expect(openMemory(other).read('x')).rejects.toThrow('symbolic link');
  await expect(openMemory(other).update('y', () => 8)).rejects.toThrow('symbolic link');
});
