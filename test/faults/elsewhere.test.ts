/** A run's lock that is held on another machine (safety S3): a heartbeat is respected, silence is not waited for long. */
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {type HeldRun, holdRun} from '../../source/engine/run/run-lock.js';
import type {SesstuiError} from '../../source/errors.js';
import {temporaryDirectory} from '../support/cli.js';
import {record} from './record.js';

const run = '20261121T014210Z-7f3a';

/** A run that is held by this process, and says that it is held elsewhere. */
const heldElsewhere = async (): Promise<{state: string; held: HeldRun; owner: string}> => {
  const state = await temporaryDirectory();
  await mkdir(join(state, 'runs', run), {recursive: true, mode: 0o700});
  const held = await holdRun(state, run);
  const owner = join(state, 'runs', run, 'owner.json');
  await writeFile(owner, (await readFile(owner, 'utf8')).replace(/"host":"[^"]*"/, '"host":"elsewhere"'));
  return {state, held, owner};
};

test('one that gives signs is left alone, whatever the clocks say', {timeout: 60_000}, async () => {
  const {state, held} = await heldElsewhere();
  const taken = await holdRun(state, run).catch(error => error as SesstuiError);
  expect((taken as SesstuiError).message).toContain('on elsewhere');
  await held.check();
  await held.release();
});

test('one that gives none is taken over, and finds out before it writes', {timeout: 60_000}, async () => {
  const {state, held, owner} = await heldElsewhere();
  const before = await readFile(owner, 'utf8');
  await held.release();
  // As a machine that is gone leaves it.
  await writeFile(owner, before);
  await mkdir(join(state, 'runs', run, 'lock'));
  const next = await holdRun(state, run);
  await expect(held.check()).rejects.toThrow('another process has taken over');
  await next.check();
  await next.release();
  record({
    requirement: 'S3',
    fault: 'a run whose holder is on another machine, living and gone',
    server: 'none',
    rounds: 2,
    violations: 0,
  });
});
