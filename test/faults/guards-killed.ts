/**
 * The command line killed at each step of an install: before it, in the middle, after it. Then another process installs
 * again and uninstalls, or uninstalls at once, and the store's rules are as they were.
 */
import {expect} from 'vitest';
import {sesstui, stepsOf} from './child.js';
import {type Guarded, type GuardStage, installWords, uninstallWords} from './guards-stage.js';
import {ageLocks, rowProblems} from './invariants.js';
import {alterations, historyOf, withEngine} from './recovery.js';

/** With `--rounds`: both ways to go on from each step. */
const isThorough = Number(process.env.SESSTUI_ROUNDS ?? 1) > 1;

/** A place to be killed at: which operation, and what it said when nobody was killed. */
type Point = {at: number; act: 'kill-before' | 'kill-after'; what: string};

const changes =
  /^message .{0,5}(?:create|drop|alter|grant)|^message .*(?:createIndexes|dropIndexes|collMod|UpdateTable)/;
const isBuild = ({what, act}: Point): boolean =>
  act === 'kill-after' && /^message .{0,5}create unique index concurrently/.test(what);

/**
 * Before lines of the install's own journal: nothing of the next step was done, or all of the last one was and nobody
 * wrote it down. In the middle: as a statement has left, and as its commit has.
 */
const pointsOf = (steps: string[]): Point[] => {
  const points: Point[] = [];
  const journal = steps.find(line => / write .*journal\.jsonl/.test(line))!.replace(/^\d+ /, '');
  let lines = 0;
  let isOpen = false;
  for (const [index, line] of steps.entries()) {
    const what = line.replace(/^\d+ /, '');
    const point = (act: Point['act']): void => void points.push({at: index + 1, act, what});
    if (what === journal) {
      if (isThorough || lines++ % 2 === 0) point('kill-before');
    } else if (changes.test(what)) {
      if (!isOpen) point('kill-after');
      isOpen = true;
    } else if (isOpen && what === 'message Q commit') point('kill-after');
    if (!changes.test(what)) isOpen = false;
  }
  return points;
};

/** The operations of an install that nothing disturbs. */
const countedInstall = async (stage: GuardStage, check: string): Promise<Point[]> => {
  const guarded = await stage.fresh(check);
  const {place} = guarded;
  const {code, stderr} = await sesstui(place, installWords(guarded), {at: 0, act: ''});
  expect(code, stderr).toBe(0);
  return pointsOf(await stepsOf(place));
};

/** By the command line, or (quicker) by another engine here; what was wrong with it. */
const goOn = async (
  guarded: Guarded,
  direction: 'install' | 'uninstall',
  byCommand: boolean,
): Promise<string[]> => {
  const {scenario, place, check} = guarded;
  if (byCommand) {
    const words = direction === 'install' ? installWords(guarded) : uninstallWords(guarded);
    const {code, stdout, stderr} = await sesstui(place, words);
    return code === 0 ? [] : [`${direction} ended with ${code}: ${stdout.slice(-600)}${stderr}`];
  }
  return withEngine(scenario, place, async engine => {
    const plan = await engine.planGuards(check, direction, {
      guards: guarded.guards,
      clean: direction === 'install',
    });
    const {error, guards, interrupted} = await engine.runGuards(plan);
    const states = guards.filter(({state}) => (state === 'installed') !== (direction === 'install'));
    return [
      ...(error || interrupted ? [`${direction}: ${error?.message ?? 'interrupted'}`] : []),
      ...states.map(({guard, state, why}) => `after ${direction} ${guard} is ${state} (${why})`),
    ];
  });
};

/** Kills an install at a point, goes on from there, and tells what is not as it was before. */
const killedAt = async (
  stage: GuardStage,
  check: string,
  point: Point,
  again: boolean,
  byCommand: boolean,
): Promise<string[]> => {
  const guarded = await stage.fresh(check);
  const {scenario, place, before, catalogue} = guarded;
  const rows = await scenario.rows();
  const letGo = isBuild(point) ? await stage.hold?.() : undefined;
  const {signal, code} = await sesstui(place, installWords(guarded), point);
  await scenario.settled?.();
  await ageLocks(place.state);
  const problems: string[] = [];
  const last = (await stepsOf(place)).at(-1);
  if (signal !== 'SIGKILL') problems.push(`it ended with ${code} at ${last}`);
  if (letGo && !/valid=f/.test(await catalogue())) problems.push('the build left no broken index');
  await letGo?.();
  if (again) problems.push(...(await goOn(guarded, 'install', byCommand)));
  problems.push(...(await goOn(guarded, 'uninstall', byCommand)));
  if ((await catalogue()) !== before) problems.push(`left behind: ${difference(before, await catalogue())}`);
  problems.push(...rowProblems(scenario, rows, await scenario.rows()), ...(await alterations(place)));
  for (const {action, state} of await historyOf(scenario, place))
    if (state === 'interrupted') problems.push(`${action} is still ${state}`);
  return problems.map(problem => `${point.act} ${point.what}${again ? ', install again' : ''}: ${problem}`);
};

const difference = (before: string, after: string): string => {
  const [was, is] = [new Set(before.split('\n')), new Set(after.split('\n'))];
  return [
    ...[...is].filter(line => !was.has(line)).map(line => `+ ${line}`),
    ...[...was].filter(line => !is.has(line)).map(line => `- ${line}`),
  ].join('; ');
};

/** Every point of the check's install, once; with `--rounds` both ways on from each. */
export const killedAtEachStep = async (
  stage: GuardStage,
  check: string,
): Promise<{rounds: number; violations: number; problems: string[]}> => {
  const sum = {rounds: 0, violations: 0, problems: [] as string[]};
  for (const [index, point] of (await countedInstall(stage, check)).entries()) {
    const ways = isThorough || isBuild(point) ? [true, false] : [index % 2 === 0];
    for (const again of ways) {
      const problems = await killedAt(stage, check, point, again, sum.rounds % 5 === 0);
      sum.rounds++;
      sum.violations += Math.min(1, problems.length);
      sum.problems.push(...problems);
    }
  }
  return sum;
};
