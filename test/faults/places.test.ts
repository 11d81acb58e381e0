/** State directories that are not only one's own, or that a dead process left locked: S10, S4. */
import {chmod, chown, mkdir, readdir, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {audit} from '../../source/engine/disk/audit.js';
import {newPlace, type Place, runWords, sesstui} from './child.js';
import {linesOf} from './invariants.js';
import {record} from './record.js';
import {type Scenario, textsOf} from './scenario.js';
import {openPostgresScenarios, type PostgresScenarios} from './scenarios-postgres.js';

let opened: PostgresScenarios;
let scenario: Scenario;
beforeAll(async () => {
  opened = await openPostgresScenarios();
  scenario = opened.scenarios.find(({name}) => name === 'registry keep-first')!;
});
afterAll(async () => opened?.stop());

const rows = async (): Promise<string> => JSON.stringify(textsOf(await scenario.rows()));

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
