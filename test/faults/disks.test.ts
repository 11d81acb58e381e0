/**
 * Disks that fail under a run (S10): no space, no file handle, a sync that fails, at each operation on the state
 * directory. Before the first write to the store nothing is changed; afterwards outcomes are told as they are, and
 * the run is finished and taken back once the disk works again.
 */
import {execFileSync} from 'node:child_process';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {type Ended, type Fault, newPlace, type Place, runWords, sesstui, stepsOf} from './child.js';
import {ageLocks, backupProblems, linesOf, rowProblems, runsOf} from './invariants.js';
import {record} from './record.js';
import {alterations, historyOf, undo} from './recovery.js';
import {changedRows, type Rows, type Scenario, textsOf} from './scenario.js';
import {openPostgresScenarios, type PostgresScenarios} from './scenarios-postgres.js';

let opened: PostgresScenarios;
beforeAll(async () => {
  opened = await openPostgresScenarios();
});
afterAll(async () => opened?.stop());

const named = (name: string): Scenario => opened.scenarios.find(scenario => scenario.name === name)!;

type Told = {
  error?: {code: string; message: string; hint: string};
  run?: string | null;
  applied?: number;
  faults?: string[];
  interrupted?: boolean;
};

const toldBy = ({stdout}: Ended): Told => JSON.parse(stdout) as Told;

const isSame = (a: Rows, b: Rows): boolean => JSON.stringify(textsOf(a)) === JSON.stringify(textsOf(b));

/** What was told of a run whose disk failed, against the rows as they are. */
const honesty = async (
  place: Place,
  scenario: Scenario,
  ended: Ended,
  before: Rows,
  now: Rows,
): Promise<string[]> => {
  const problems: string[] = [];
  const told = toldBy(ended);
  const written = changedRows(before, now).length;
  const words = [told.error?.message ?? '', ...(told.faults ?? [])].join('\n');
  if (ended.code === 0) {
    // Nothing was lost by it: then the run is whole, in the history and in the audit log.
    const [summary] = await historyOf(scenario, place);
    const audited = await linesOf(join(place.state, 'audit.jsonl'));
    if (summary?.state !== 'done' || summary.applied !== written || written === 0)
      problems.push(
        `exit 0, but the history says ${JSON.stringify(summary)} and ${written} rows were written`,
      );
    if (!audited.some(({event, applied}) => event === 'done' && applied === written))
      problems.push('exit 0, but the audit log does not tell the run');
    return problems;
  }
  if (!words.includes(place.directory)) problems.push(`exit ${ended.code} names no path: ${words}`);
  if (told.error) {
    if (told.error.hint === 'Please report this.')
      problems.push(`a disk that fails is no fault of the program: ${words}`);
    if (written > 0) problems.push(`${written} rows were written, and only an error is told: ${words}`);
    if (ended.code !== 3) problems.push(`exit ${ended.code} for a run that changed nothing`);
  } else {
    if (told.applied !== written) problems.push(`${written} rows were written, ${told.applied} are told`);
    if (ended.code !== 4) problems.push(`exit ${ended.code} for a run that did not end well`);
  }
  return problems;
};

/** The disk works again: another process finishes what is unfinished and takes it back. */
const recovered = async (scenario: Scenario, place: Place, before: Rows): Promise<string[]> => {
  const problems: string[] = [];
  await ageLocks(place.state);
  const [run] = await runsOf(place.state);
  const [summary] = await historyOf(scenario, place);
  if (summary?.state === 'interrupted') {
    const {code, stdout} = await sesstui(place, ['resume', run!, '--yes']);
    if (code !== 0) problems.push(`resume ended with ${code}: ${stdout.slice(0, 600)}`);
  }
  if (summary && !isSame(before, await scenario.rows())) {
    const {skipped, failed, unknown} = await undo(scenario, place, run!);
    if (skipped + failed + unknown > 0) problems.push('the run could not be taken back whole');
  }
  if (!isSame(before, await scenario.rows())) problems.push('after undo the store is not as it was');
  problems.push(...(await alterations(place)));
  return problems;
};

/** A run whose disk fails at operation `at`; null when it was through before. */
const failedRun = async (scenario: Scenario, fault: Fault): Promise<string[] | null> => {
  await scenario.reset();
  const before = await scenario.rows();
  const place = await newPlace(scenario);
  const ended = await sesstui(place, runWords(scenario), fault);
  const steps = await stepsOf(place);
  if (steps.length < fault.at) return null;
  const now = await scenario.rows();
  const problems = [
    ...rowProblems(scenario, before, now),
    ...(await backupProblems(scenario, place.state, before, now)),
  ];
  try {
    problems.push(...(await honesty(place, scenario, ended, before, now)));
    problems.push(...(await recovered(scenario, place, before)));
  } catch (error) {
    problems.push(`it could not go on: ${(error as Error).message}; it told ${ended.stdout}${ended.stderr}`);
  }
  if (problems.length === 0) await rm(place.directory, {recursive: true, force: true});
  return problems.map(problem => `${fault.act} at ${steps[fault.at - 1]}: ${problem}`);
};

const minutes = 10 * 60_000;
const forEver = 1_000_000_000;
/** With `--rounds` a disk fails at each operation. */
const isThorough = Number(process.env.SESSTUI_ROUNDS ?? 1) > 1;

test.each([
  ['no space, from then on', 'rides cancel', {act: 'ENOSPC', kinds: 'open,make,write', last: forEver}, 3],
  ['no space, once', 'registry keep-first', {act: 'ENOSPC', kinds: 'open,make,write'}, 2],
  [
    'no file handle, from then on',
    'registry keep-first',
    {act: 'EMFILE', kinds: 'open,look,read', last: forEver},
    2,
  ],
  ['a sync that fails, once', 'registry keep-first', {act: 'EIO', kinds: 'sync'}, 2],
  ['a write that fails, once', 'registry keep-first', {act: 'EIO', kinds: 'write'}, 1],
  [
    'read-only, from then on',
    'registry keep-first',
    {act: 'EROFS', kinds: 'open,make,write,remove,attributes,truncate', last: forEver},
    3,
  ],
] as const)('%s (%s)', {timeout: minutes}, async (fault, name, what, every) => {
  const scenario = named(name);
  const problems: string[] = [];
  let rounds = 0;
  let violations = 0;
  for (let at = 1; ; at += isThorough ? 1 : every) {
    const found = await failedRun(scenario, {at, ...what});
    if (found === null) break;
    rounds++;
    violations += Math.min(1, found.length);
    problems.push(...found);
  }
  record({
    requirement: 'S10',
    fault: `${fault}, at one operation after the other (injected)`,
    server: scenario.server,
    rounds,
    violations,
    note: name,
  });
  expect(problems).toEqual([]);
  expect(rounds).toBeGreaterThan(4);
});

/** Fills what is left of a file system but for so many bytes. */
const fill = async (directory: string, leave: number): Promise<void> => {
  const free = Number(execFileSync('stat', ['-f', '-c', '%a', directory], {encoding: 'utf8'})) * 4096;
  await writeFile(join(directory, 'filler'), Buffer.alloc(Math.max(0, free - leave)));
};

const mounted = (directory: string): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'none', directory], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
};

test('a file system that is really full', {timeout: minutes}, async () => {
  const scenario = named('registry keep-first');
  const problems: string[] = [];
  let rounds = 0;
  let violations = 0;
  let note = 'tmpfs';
  // From no room at all to room for some of the files: a file takes whole pages.
  for (let pages = 0; pages <= 6; pages++) {
    await scenario.reset();
    const before = await scenario.rows();
    const place = await newPlace(scenario);
    await mkdir(place.state);
    if (!mounted(place.state)) {
      note = 'mounting is not permitted here: only the injected faults were tried';
      break;
    }
    try {
      await fill(place.state, pages * 4096);
      const ended = await sesstui(place, runWords(scenario));
      const now = await scenario.rows();
      const found = [
        ...rowProblems(scenario, before, now),
        ...(await backupProblems(scenario, place.state, before, now)),
        ...(await honesty(place, scenario, ended, before, now)),
      ];
      if (ended.code !== 0) rounds++;
      await rm(join(place.state, 'filler'));
      found.push(...(await recovered(scenario, place, before)));
      violations += Math.min(1, found.length);
      problems.push(...found.map(problem => `${pages} pages left: ${problem}`));
    } finally {
      execFileSync('umount', ['-l', place.state]);
    }
  }
  record({
    requirement: 'S10',
    fault: 'a file system that is full',
    server: scenario.server,
    rounds,
    violations,
    note,
  });
  expect(problems).toEqual([]);
  if (note === 'tmpfs') expect(rounds).toBeGreaterThan(2);
});

test('a limit on open files (ulimit -n)', {timeout: minutes}, async () => {
  const scenario = named('registry keep-first');
  const problems: string[] = [];
  let rounds = 0;
  let violations = 0;
  for (let limit = 16; ; limit += 8) {
    await scenario.reset();
    const before = await scenario.rows();
    const place = await newPlace(scenario);
    const ended = await sesstui(place, runWords(scenario), undefined, {shell: `ulimit -n ${limit}`});
    const now = await scenario.rows();
    const found = [
      ...rowProblems(scenario, before, now),
      ...(await backupProblems(scenario, place.state, before, now)),
    ];
    const isThrough = ended.code === 0;
    if (!isThrough && changedRows(before, now).length > 0)
      found.push(...(await honesty(place, scenario, ended, before, now)));
    found.push(...(await recovered(scenario, place, before)));
    rounds++;
    violations += Math.min(1, found.length);
    problems.push(...found.map(problem => `ulimit -n ${limit}: ${problem}`));
    await rm(place.directory, {recursive: true, force: true});
    if (isThrough) break;
    expect(limit, `${ended.stdout}${ended.stderr}`).toBeLessThan(400);
  }
  record({requirement: 'S10', fault: 'ulimit -n', server: scenario.server, rounds, violations});
  expect(problems).toEqual([]);
  expect(rounds).toBeGreaterThan(1);
});
