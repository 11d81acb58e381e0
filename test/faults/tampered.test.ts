/**
 * A state directory that somebody altered: a byte of a backup (S10), a line of the audit log (S11), a place that
 * others can write to. Found by `history --verify`, refused by undo.
 */
import {chmod, chown, cp, mkdir, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {audit} from '../../source/engine/audit.js';
import {newPlace, type Place, runWords, sesstui} from './child.js';
import {linesOf} from './invariants.js';
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

/** Ways in which a state directory is not one's own, each made in a new place. */
const places: [string, (place: Place) => Promise<void>][] = [
  [
    'audit.jsonl is a link to /dev/full',
    async ({state}) => {
      await mkdir(state, {mode: 0o700});
      await symlink('/dev/full', join(state, 'audit.jsonl'));
    },
  ],
  [
    'audit.jsonl is a link to a file elsewhere',
    async ({state, directory}) => {
      await mkdir(state, {mode: 0o700});
      await writeFile(join(directory, 'elsewhere'), '');
      await symlink(join(directory, 'elsewhere'), join(state, 'audit.jsonl'));
    },
  ],
  [
    'runs is a link to a directory elsewhere',
    async ({state, directory}) => {
      await mkdir(state, {mode: 0o700});
      await mkdir(join(directory, 'elsewhere'));
      await symlink(join(directory, 'elsewhere'), join(state, 'runs'));
    },
  ],
  [
    'runs is a file',
    async ({state}) => {
      await mkdir(state, {mode: 0o700});
      await writeFile(join(state, 'runs'), '');
    },
  ],
  ['the state directory is a file', async ({state}) => writeFile(state, '')],
  [
    'everybody may write to it (0777)',
    async ({state}) => {
      await mkdir(state);
      await chmod(state, 0o777);
    },
  ],
  [
    'everybody may write to runs',
    async ({state}) => {
      await mkdir(join(state, 'runs'), {recursive: true, mode: 0o700});
      await chmod(join(state, 'runs'), 0o777);
    },
  ],
  ...(process.getuid?.() === 0
    ? ([
        [
          'it is somebody else’s',
          async ({state}) => {
            await mkdir(state, {mode: 0o700});
            await chown(state, 12_345, 12_345);
          },
        ],
      ] as [string, (place: Place) => Promise<void>][])
    : []),
];

test('a state directory that is not only one’s own is refused, with its path, before anything is changed', {
  timeout: 600_000,
}, async () => {
  await scenario.reset();
  const whole = await rows();
  const problems: string[] = [];
  for (const [what, make] of places) {
    const other = await newPlace(scenario);
    await make(other);
    const {code, stdout} = await sesstui(other, runWords(scenario));
    const told = JSON.parse(stdout) as {error?: {message: string; hint: string}};
    if (
      code !== 3 ||
      !told.error?.message.includes(other.directory) ||
      told.error.hint === 'Please report this.'
    )
      problems.push(`${what}: exit ${code}: ${stdout.slice(0, 300)}`);
    if ((await rows()) !== whole) {
      problems.push(`${what}: rows were changed`);
      await scenario.reset();
    }
    await rm(other.directory, {recursive: true, force: true});
  }
  record({
    requirement: 'S10',
    fault: 'a state directory that is a link, a file, or open to others',
    server: scenario.server,
    rounds: places.length,
    violations: problems.length,
  });
  expect(problems).toEqual([]);
});

test('the files are for their owner alone, whatever the umask', async () => {
  await scenario.reset();
  const other = await newPlace(scenario);
  const {code} = await sesstui(other, runWords(scenario), undefined, {shell: 'umask 000'});
  expect(code).toBe(0);
  const entries = await readdir(other.state, {recursive: true, withFileTypes: true});
  expect(entries.length).toBeGreaterThan(4);
  const open = [];
  for (const entry of entries) {
    const {mode} = await stat(join(entry.parentPath ?? entry.path, entry.name));
    if ((mode & 0o077) !== 0) open.push(`${entry.name} ${(mode & 0o777).toString(8)}`);
  }
  record({
    requirement: 'S10',
    fault: 'umask 000',
    server: scenario.server,
    rounds: entries.length,
    violations: open.length,
  });
  expect(open).toEqual([]);
  await rm(other.directory, {recursive: true, force: true});
});

test('a lock that a dead process left stops nobody for long', {timeout: 120_000}, async () => {
  const other = await newPlace(scenario);
  await mkdir(other.state, {mode: 0o700});
  // As it is left by a process that was killed this moment. Another that runs already (a screen) comes to it now.
  await mkdir(join(other.state, 'audit.lock'));
  const [told] = await Promise.allSettled([audit(other.state, {event: 'run'})]);
  record({
    requirement: 'S4',
    fault: 'a lock left by a process killed just now',
    server: 'none',
    rounds: 1,
    violations: told.status === 'fulfilled' ? 0 : 1,
  });
  expect(told).toEqual({status: 'fulfilled', value: undefined});
  expect(await linesOf(join(other.state, 'audit.jsonl'))).toHaveLength(1);
  await rm(other.directory, {recursive: true, force: true});
});
