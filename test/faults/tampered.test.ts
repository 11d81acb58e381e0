/**
 * A state directory that somebody altered: a byte of a backup (S10), a line of the audit log (S11), a file of a run.
 * Found by `history --verify`, refused by undo and resume.
 */
import {cp, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {newPlace, type Place, sesstui} from './child.js';
import {record} from './record.js';
import {undo, withEngine} from './recovery.js';
import {type Scenario, textsOf} from './scenario.js';
import {openPostgresScenarios, type PostgresScenarios} from './scenarios-postgres.js';

let opened: PostgresScenarios;
let scenario: Scenario;
/** A state directory with runs and an undo in it. */
let place: Place;
let run: string;
let before: string;
let after: string;

const rows = async (): Promise<string> => JSON.stringify(textsOf(await scenario.rows()));

beforeAll(async () => {
  opened = await openPostgresScenarios();
  scenario = opened.scenarios.find(({name}) => name === 'registry keep-first')!;
  place = await newPlace(scenario);
  const clean = () =>
    withEngine(scenario, place, async engine =>
      engine.run(await engine.plan(scenario.check, scenario.action, {})),
    );
  await scenario.reset();
  before = await rows();
  const first = await clean();
  await undo(scenario, place, first.run!);
  expect(await rows()).toBe(before);
  run = (await clean()).run!;
  after = await rows();
  expect(after).not.toBe(before);
});
afterAll(async () => opened?.stop());

/** Another copy of the state directory, to be altered. */
const copied = async (): Promise<Place> => {
  const copy = await newPlace(scenario);
  await cp(place.state, copy.state, {recursive: true});
  return copy;
};

/** The exit code of `history --verify`, and what it told. */
const verify = async (copy: Place): Promise<{code: number | null; problems: string[]}> => {
  const {code, stdout} = await sesstui(copy, ['history', '--verify']);
  return {code, problems: (JSON.parse(stdout) as {problems?: string[]}).problems ?? [stdout]};
};

test('what nobody altered is found to be whole', async () => {
  expect(await verify(place)).toEqual({code: 0, problems: []});
});

const flips = Number(process.env.SESSTUI_ROUNDS ?? 12);

test('a flipped byte of a backup: undo and resume refuse, and verify finds it', {
  timeout: 600_000,
}, async () => {
  const bytes = await readFile(join(place.state, 'runs', run, 'backup.jsonl'));
  const problems: string[] = [];
  let rounds = 0;
  for (let round = 0; round < flips; round++) {
    // All over the file, its last line (the footer) and the ends of lines among them.
    const offset = Math.floor((bytes.length - 1) * (round / Math.max(1, flips - 1)));
    const copy = await copied();
    const path = join(copy.state, 'runs', run, 'backup.jsonl');
    const altered = Buffer.from(bytes);
    altered[offset]! ^= 1 << (round % 7);
    await writeFile(path, altered);
    for (const command of ['undo', 'resume']) {
      const {code, stdout} = await sesstui(copy, [command, run, '--yes']);
      const {error} = JSON.parse(stdout) as {error?: {code: string; message: string}};
      const isRefused = code !== 0 && (command === 'resume' || error?.code === 'damaged');
      if (!isRefused) problems.push(`byte ${offset}: ${command} ended with ${code}: ${stdout.slice(0, 200)}`);
      if (command === 'undo' && !error?.message.includes(path))
        problems.push(`byte ${offset}: undo does not name the file: ${error?.message}`);
    }
    if ((await verify(copy)).code !== 1) problems.push(`byte ${offset}: verify did not find it`);
    if ((await rows()) !== after) problems.push(`byte ${offset}: rows were changed`);
    rounds++;
    await rm(copy.directory, {recursive: true, force: true});
  }
  record({
    requirement: 'S10',
    fault: 'a flipped byte of a backup',
    server: scenario.server,
    rounds,
    violations: problems.length,
  });
  expect(problems).toEqual([]);
});

test('every edit of the audit log is found', {timeout: 600_000}, async () => {
  const path = 'audit.jsonl';
  const text = await readFile(join(place.state, path), 'utf8');
  const lines = text.split('\n').filter(Boolean);
  expect(lines.length).toBeGreaterThanOrEqual(6);
  const together = (altered: string[]): string => altered.map(line => `${line}\n`).join('');
  const edits: [string, string][] = lines.flatMap((line, index): [string, string][] => [
    [`line ${index + 1} edited`, together(lines.with(index, line.replace(/"by":"/, '"by":"x')))],
    [`line ${index + 1} removed`, together(lines.toSpliced(index, 1))],
    [`line ${index + 1} doubled`, together(lines.toSpliced(index, 0, line))],
    [`cut after line ${index}`, together(lines.slice(0, index))],
  ]);
  edits.push(
    ['the first two exchanged', together([lines[1]!, lines[0]!, ...lines.slice(2)])],
    ['cut in the middle of the last line', text.slice(0, -20)],
    ['a line that is no JSON', `${text}nonsense\n`],
    ['removed whole', ''],
  );
  const problems: string[] = [];
  for (const [what, altered] of edits) {
    const copy = await copied();
    if (altered === '') await rm(join(copy.state, path));
    else await writeFile(join(copy.state, path), altered);
    const {code, problems: found} = await verify(copy);
    if (code !== 1 || !found.some(problem => problem.includes(path)))
      problems.push(`${what}: exit ${code}, ${JSON.stringify(found)}`);
    await rm(copy.directory, {recursive: true, force: true});
  }
  record({
    requirement: 'S11',
    fault: 'a line of the audit log edited, removed, doubled, cut off',
    server: scenario.server,
    rounds: edits.length,
    violations: problems.length,
  });
  expect(problems).toEqual([]);
});

test('run files that were removed are found', async () => {
  const problems: string[] = [];
  for (const file of ['plan.jsonl', 'backup.jsonl', 'journal.jsonl', '']) {
    const copy = await copied();
    await rm(join(copy.state, 'runs', run, file), {recursive: true});
    const {code, problems: found} = await verify(copy);
    if (code !== 1 || !found.some(problem => problem.includes(run)))
      problems.push(`${file || 'the whole run'} removed: exit ${code}, ${JSON.stringify(found)}`);
    await rm(copy.directory, {recursive: true, force: true});
  }
  record({
    requirement: 'S11',
    fault: 'a file of a run removed',
    server: scenario.server,
    rounds: 4,
    violations: problems.length,
  });
  expect(problems).toEqual([]);
});
