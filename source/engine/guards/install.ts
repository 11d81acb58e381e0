/**
 * An install beside live writers: from the `refuse` steps on no faulty row comes any more, so what is mended then stays
 * mended; where a store has no such steps, `enforce` says `again` until none came meanwhile.
 */
import {setTimeout as wait} from 'node:timers/promises';
import {SesstuiError} from '../../errors.js';
import {counted} from '../../words.js';
import {findingsInTheWay, findingWords, violationsOf} from './in-the-way.js';
import {finishCutOff, type Mending, mend} from './mending.js';
import {type Carrying, Interruption, installPhase} from './steps.js';

/** How often rows that came meanwhile are mended before it is given up. */
const mostAgain = 5;

export type Install = {
  carrying: Carrying;
  mending: Mending;
  allowScan?: boolean;
  note: string;
  /** Changes that were confirmed, or need no confirmation. */
  allowed: number;
  /** The runs that mended rows. */
  runs: string[];
  notes: string[];
};

/** Rows that others change between a plan and its run are not written: they are planned anew, with a growing pause. */
const patience = (time: number, signal?: AbortSignal): Promise<unknown> =>
  wait(50 * 2 ** time * (0.5 + Math.random() / 2), undefined, {signal}).catch(() => {
    throw new Interruption();
  });

type Mended = {applied: number; skipped: number; failed: number};

const mendOnce = async (install: Install): Promise<Mended> => {
  const {carrying, mending, note, allowed, runs, notes} = install;
  const {recorder, onProgress, guards} = carrying;
  const mended = await mend(mending, {
    note,
    run: recorder.run.header.run,
    allowed,
    onProgress: progress => onProgress?.({guard: guards.at(-1)!.name, ...progress}),
  });
  for (const {run, action, applied, failed, unknown, interrupted} of mended.results) {
    if (run) runs.push(run);
    if (applied > 0)
      notes.push(`${action} changed ${counted(applied, 'row')} (run ${run}), which can be taken back`);
    if (failed + unknown > 0 && !interrupted)
      notes.push(`${action} (run ${run}): ${applied} applied, ${failed} failed, ${unknown} unknown`);
  }
  if (mended.interrupted) throw new Interruption();
  const {results, applied} = mended;
  return {
    applied,
    skipped: results.reduce((sum, {skipped}) => sum + skipped, 0),
    failed: results.reduce((sum, {failed, unknown}) => sum + failed + unknown, 0),
  };
};

/** How many rows were mended. Throws where what is left in the way is nothing that mending could help. */
const mendRows = async (install: Install): Promise<number> => {
  const {mending, allowScan} = install;
  const asking = {allowScan, signal: mending.signal};
  let applied = 0;
  for (let time = 0; ; time++) {
    const once = await mendOnce(install);
    applied += once.applied;
    const left = await findingsInTheWay(mending.checker, mending.guards, asking);
    if (Object.keys(left).length === 0) break;
    if (once.applied > 0) return applied;
    if (once.skipped + once.failed === 0) throw unmended(install, findingWords(left));
    if (time === mostAgain) throw contended(findingWords(left), once.failed > 0);
    await patience(time, mending.signal);
  }
  const violations = await violationsOf(mending.checker, mending.guards, asking);
  if (violations.length > 0)
    throw new SesstuiError('usage', violations.join('; '), 'Somebody has to decide about these rows first.');
  return applied;
};

const contended = (words: string, hasFailed: boolean): SesstuiError =>
  new SesstuiError(
    'timeout',
    hasFailed
      ? `still in the way: ${words}; to change these rows failed each of ${mostAgain + 1} times`
      : `still in the way: ${words}; somebody changed these rows each of ${mostAgain + 1} times between the look at them and the write`,
    hasFailed
      ? 'The runs that are named above tell why each failed; when that is mended, install again.'
      : 'Stop the writer that changes them for a moment, then install again.',
  );

/** Rows keep coming, or the store means others than the check does. */
const givenUp = (isMending: boolean): SesstuiError =>
  isMending
    ? new SesstuiError(
        'timeout',
        `rows that are in the way came ${mostAgain + 1} times while they were mended`,
        'Stop the writer that makes them for a moment, then install again.',
      )
    : new SesstuiError(
        'timeout',
        `${mostAgain + 1} times the store said that rows are in the way, and the check found none of them`,
        'Look for values that the store takes for equal and the check does not (5 and a decimal 5).',
      );

const unmended = ({mending: {checker}}: Install, words: string): SesstuiError =>
  new SesstuiError(
    'usage',
    `still in the way after cleaning: ${words}`,
    `No default action takes these. \`sesstui check ${checker.id} --json\` has their groups whole; take them with \`sesstui clean ${checker.id} --action ACTION --group VALUE\`, then install again.`,
  );

export const installGuards = async (install: Install): Promise<void> => {
  const {carrying, mending} = install;
  await installPhase(carrying, 'prepare');
  await installPhase(carrying, 'refuse');
  install.runs.push(...(await finishCutOff(mending)));
  const isMended = mending.guards.some(({findings, arrange}) => findings || arrange);
  let applied = 0;
  for (let time = 0; ; time++) {
    const now = isMended ? await mendRows(install) : 0;
    // What was there at the beginning tells nothing of a writer.
    if (time > 0) applied += now;
    if ((await installPhase(carrying, 'enforce')) === 'done') break;
    if (time === mostAgain) throw givenUp(applied > 0);
  }
  await installPhase(carrying, 'tidy');
};
