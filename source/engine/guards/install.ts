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

const mendOnce = async (install: Install): Promise<{applied: number; skipped: number}> => {
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
  return {applied: mended.applied, skipped: mended.results.reduce((sum, {skipped}) => sum + skipped, 0)};
};

/** Throws where what is left in the way is nothing that mending could help. */
const mendRows = async (install: Install): Promise<void> => {
  const {mending, allowScan} = install;
  const asking = {allowScan, signal: mending.signal};
  for (let time = 0; ; time++) {
    const {applied, skipped} = await mendOnce(install);
    const left = await findingsInTheWay(mending.checker, mending.guards, asking);
    if (Object.keys(left).length === 0) break;
    if (applied > 0) return;
    if (skipped === 0) throw unmended(install, findingWords(left));
    if (time === mostAgain) throw contended(findingWords(left));
    await patience(time, mending.signal);
  }
  const violations = await violationsOf(mending.checker, mending.guards, asking);
  if (violations.length > 0)
    throw new SesstuiError('usage', violations.join('; '), 'Somebody has to decide about these rows first.');
};

const contended = (words: string): SesstuiError =>
  new SesstuiError(
    'timeout',
    `still in the way: ${words}; somebody changed these rows each of ${mostAgain + 1} times between the look at them and the write`,
    'Stop the writer that changes them for a moment, then install again.',
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
  for (let time = 0; ; time++) {
    if (isMended) await mendRows(install);
    if ((await installPhase(carrying, 'enforce')) === 'done') break;
    if (time === mostAgain)
      throw new SesstuiError(
        'timeout',
        `rows that are in the way came ${mostAgain + 1} times while they were mended`,
        'Stop the writer that makes them for a moment, then install again.',
      );
  }
  await installPhase(carrying, 'tidy');
};
