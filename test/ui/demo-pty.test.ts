/** The whole program in a real terminal on real stores: find, mark, plan, confirm, results, undo, quit. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {stringify} from 'yaml';
import {demoConfig} from '../../source/demo/config.js';
import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {demoSystems} from '../../source/demo/seed-stores.js';
import {cliPath, temporaryDirectory} from '../support/cli.js';
import {dumpDynamodb} from '../support/dumps.js';
import {openPty} from '../support/pty.js';

let front: Awaited<ReturnType<typeof startDynamodbFront>>;
let directory: string;

beforeAll(async () => {
  front = await startDynamodbFront({});
  directory = await temporaryDirectory();
  const {stores, ...rest} = demoConfig({dynamodb: front.endpoint, mongodb: '', postgres: ''});
  await writeFile(
    join(directory, 'sesstui.yaml'),
    stringify({...rest, identities: [], stores: {kite: stores.kite}}),
  );
  const kite = demoSystems.find(({store}) => store === 'kite')!;
  await kite.fill(front.endpoint, {rows: 60, seed: 1}, new AbortController().signal);
});
afterAll(() => front.close());

const dump = async (): Promise<string[][]> => [
  await dumpDynamodb(front.endpoint, 'kite-sessions'),
  await dumpDynamodb(front.endpoint, 'kite-accounts'),
];

test('two groups are cleaned and come back, and the terminal is left as it was', async () => {
  const before = await dump();
  const files = ['--config', join(directory, 'sesstui.yaml'), '--state-dir', join(directory, 'state')];
  const pty = openPty(process.execPath, [cliPath, ...files], {columns: 100, rows: 30});
  await pty.until(/kite\/duplicates.*up/);
  pty.write('2');
  await pty.until(/> {2}│ warning {2}│ acc-/);
  pty.write(' j ');
  await pty.until('2 marked');
  pty.write('x');
  await pty.until('keep-latest  applies to 2, the safe default');
  pty.write('\r');
  await pty.until('changes to kite-sessions');
  expect(await dump()).toEqual(before);
  pty.write('x');
  await pty.until('[> Cancel <]');
  await pty.until('Tab or arrows move');
  pty.write('\t');
  await pty.until(/\[> Make \d+ changes <\]/);
  pty.write('\r');
  await pty.until('Done: keep-latest on kite/duplicates');
  expect(pty.screen()).toMatch(/0 skipped, 0 failed, 0 unknown/);
  expect(await dump()).not.toEqual(before);
  pty.write('\r');
  await pty.until(/row \d+ of/);
  pty.write('7');
  await pty.until(/kite\/duplicat.*done/);
  pty.write('u');
  await pty.until('Plan: undo of run');
  pty.write('x');
  await pty.until('Tab or arrows move');
  pty.write('\t');
  await pty.until(/\[> Undo \d+ changes <\]/);
  pty.write('\r');
  await pty.until('Done: undo of run');
  expect(await dump()).toEqual(before);
  pty.write('\x1b');
  await pty.until(/keep-l.* undone/);
  pty.write('q');
  expect(await pty.ended).toBe(0);
  await expect
    .poll(() => pty.modes())
    .toEqual({alternate: false, paste: false, wrap: true, cursorHidden: false});
});
