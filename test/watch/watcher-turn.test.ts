/** Copies that share a state directory take turns. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {expect, test} from 'vitest';
import {openMemory} from '../../source/watch/memory.js';
import {inTurn} from '../../source/watch/turn.js';

const directory = (): string => mkdtempSync(join(tmpdir(), 'sesstui-turn-'));

test('a turn that is taken is not waited for, and is free when its work has ended', async () => {
  const state = directory();
  const inner = await inTurn(state, 'rides/a', () => inTurn(state, 'rides/a', async () => 'both'));
  expect(inner).toEqual({done: null});
  expect(await inTurn(state, 'rides/a', async () => 'again')).toEqual({done: 'again'});
});

test('turns and files of one directory do not take each other’s locks away', async () => {
  const state = directory();
  const memory = openMemory(state);
  const other = openMemory(state);
  await inTurn(state, 'rides/a', async () => {
    await inTurn(state, 'rides/b', () => memory.update('x', () => 1));
    await Promise.all([memory.update('y', () => 1), other.update('z', () => 1)]);
    expect(await inTurn(state, 'rides/a', async () => 'both')).toBeNull();
    expect(await inTurn(state, 'rides/b', async () => 'free')).toEqual({done: 'free'});
  });
  expect(await inTurn(state, 'rides/a', async () => 'free')).toEqual({done: 'free'});
});

test('the turn ends with work that fails', async () => {
  const state = directory();
  const failing = inTurn(state, 'rides/a', async () => {
    throw new RangeError('no');
  });
  await expect(failing).rejects.toThrow(RangeError);
  expect(await inTurn(state, 'rides/a', async () => 'free')).toEqual({done: 'free'});
});

test('another process has its turn until it is killed, and not a moment longer', async () => {
  const state = directory();
  const turn = resolve(import.meta.dirname, '../../dist/source/watch/turn.js');
  const code = `import {inTurn} from ${JSON.stringify(turn)};
    await inTurn(${JSON.stringify(state)}, 'rides/a', async () => {
      process.stdout.write('mine');
      await new Promise(done => setTimeout(done, 600_000));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code]);
  await once(child.stdout, 'data');
  expect(await inTurn(state, 'rides/a', async () => 'both')).toBeNull();
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  expect(await inTurn(state, 'rides/a', async () => 'free')).toEqual({done: 'free'});
});
