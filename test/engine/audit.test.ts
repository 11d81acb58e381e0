/** The audit log: a chain that shows edits, and a head that shows what was cut off (safety S11). */
import {readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {beforeEach, expect, test} from 'vitest';
import {audit, verifyAudit} from '../../source/engine/disk/audit.js';
import {temporaryDirectory} from '../support/cli.js';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  path = join(directory, 'audit.jsonl');
  for (const note of ['one', 'two', 'three']) await audit(directory, {event: 'run', note});
});

const linesOf = async (): Promise<string[]> => (await readFile(path, 'utf8')).split('\n').filter(Boolean);
const write = (lines: string[]): Promise<void> => writeFile(path, lines.map(line => `${line}\n`).join(''));

test('a log that nobody touched has no problems', async () => {
  expect(await verifyAudit(directory)).toEqual([]);
});

test.each([0, 1, 2])('line %i edited', async index => {
  const lines = await linesOf();
  lines[index] = lines[index]!.replace(/one|two|three/, 'other');
  await write(lines);
  expect((await verifyAudit(directory)).join()).toContain(`audit.jsonl:${index + 1} was altered`);
});

test.each([0, 1, 2])('line %i removed', async index => {
  const lines = await linesOf();
  lines.splice(index, 1);
  await write(lines);
  expect(await verifyAudit(directory)).not.toEqual([]);
});

test('lines that changed places', async () => {
  const [one, two, three] = (await linesOf()) as [string, string, string];
  await write([two, one, three]);
  expect((await verifyAudit(directory)).join()).toContain(
    'audit.jsonl:2 does not follow from the line before it',
  );
});

test('cut off at the end, and told for ever though the log goes on', async () => {
  await write((await linesOf()).slice(0, 1));
  expect((await verifyAudit(directory)).join()).toContain('it had 3 lines and has 1');
  await audit(directory, {event: 'run', note: 'four'});
  expect((await verifyAudit(directory)).join()).toContain('it had 3 lines and has 1');
});

test('without its head, or gone', async () => {
  await rm(join(directory, 'audit.head'));
  expect((await verifyAudit(directory)).join()).toContain('audit.head');
});

test('gone whole', async () => {
  await rm(path);
  expect((await verifyAudit(directory)).join()).toContain('it had 3 lines and has 0');
});

test('a line that was cut off by a crash is no loss: the next one takes its place', async () => {
  await writeFile(path, `${await readFile(path, 'utf8')}{"event":"ru`);
  expect(await verifyAudit(directory)).toEqual([]);
  await audit(directory, {event: 'run', note: 'four'});
  expect(await verifyAudit(directory)).toEqual([]);
  expect(await linesOf()).toHaveLength(4);
});

test('many at once keep the chain', async () => {
  await Promise.all([...Array(10).keys()].map(index => audit(directory, {event: 'run', note: `${index}`})));
  expect(await linesOf()).toHaveLength(13);
  expect(await verifyAudit(directory)).toEqual([]);
});

test('a line is added by the end of the log alone: what lies before is not read again', async () => {
  const lines = await linesOf();
  // Of the same length, so that only reading it would tell.
  lines[0] = '#'.repeat(lines[0]!.length);
  await write(lines);
  await audit(directory, {event: 'run', note: 'four'});
  expect(JSON.parse((await linesOf()).at(-1)!)).toMatchObject({note: 'four'});
  await expect(verifyAudit(directory)).rejects.toThrow('audit.jsonl:1 is not JSON any more');
});

test('a head from before heads told where the last line begins goes on', async () => {
  const head = JSON.parse(await readFile(join(directory, 'audit.head'), 'utf8'));
  await writeFile(join(directory, 'audit.head'), `${JSON.stringify({lines: head.lines, hash: head.hash})}\n`);
  await audit(directory, {event: 'run', note: 'four'});
  expect(await verifyAudit(directory)).toEqual([]);
  expect(await linesOf()).toHaveLength(4);
});
