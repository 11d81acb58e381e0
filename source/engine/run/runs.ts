/** Carrying out a plan that was shown: everything that must hold before, and what is told after. */

import type {Connector} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import {countResults, type Plan, type Progress, type RunResult} from '../../types.js';
import type {Checker} from '../checker.js';
import {requireConfirmations} from '../confirmations.js';
import {RunFiles, readRun} from '../disk/run-files.js';
import type {HeldPlan} from '../plan/held-plan.js';
import {beginRun, type OpenRun, reopenRun} from './open-run.js';
import {closeUnbegun, workLeft} from './resume.js';
import {type HeldRun, holdRun} from './run-lock.js';
import type {RunReport} from './run-recorder.js';
import {carryOut} from './runner.js';
import {isTakenBack, takenBack} from './taken-back.js';
import {allWork} from './work.js';

export type RunOptions = {
  note?: string;
  confirmed?: string[];
  ratePerSecond?: number;
  lookAgain?: boolean;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
};

/** Keeps other processes from taking the same run back, or finishing it, at the same time; or finds that they have. */
const holdUndone = async (
  stateDirectory: string,
  {checker, header, takenBefore, resume, undone}: HeldPlan['held'],
): Promise<HeldRun | null> => {
  const {undoes} = header;
  if (!undoes) return null;
  const held = await holdRun(stateDirectory, undoes);
  try {
    const own = resume?.record.header.run;
    const taken = await checker.store.ask(connector => takenBack(connector, stateDirectory, undoes, own));
    const {journal} = await readRun(stateDirectory, undoes);
    const isSame = taken.done.size === takenBefore && (!undone || journal.length === undone.journal.length);
    if (isSame) return held;
    throw new SesstuiError(
      'usage',
      `run ${undoes} was taken back or resumed while this plan was looked at`,
      '`sesstui history` shows what was done; then undo again for what is left.',
    );
  } catch (error) {
    await held.release();
    throw error;
  }
};

/** The same run, lost as well when the one that it takes back is. */
const heldWith = (run: OpenRun, undone: HeldRun | null): OpenRun =>
  undone
    ? {
        ...run,
        lost: AbortSignal.any([run.lost, undone.lost]),
        check: async () => {
          await run.check();
          await undone.check();
        },
      }
    : run;

/** Opens the run that a plan is to become, or to finish. */
const open = (stateDirectory: string, plan: HeldPlan, note: string | null): Promise<OpenRun> => {
  const {secrets, units, header, resume} = plan.held;
  return resume
    ? reopenRun(stateDirectory, resume.record, note)
    : beginRun(stateDirectory, {...header, note}, units, secrets);
};

const carry = (
  writer: Connector,
  run: OpenRun,
  plan: HeldPlan,
  {ratePerSecond, signal, onProgress}: RunOptions,
): Promise<RunReport> => {
  const {units, resume, secrets} = plan.held;
  const common = {shown: plan.changes, secrets, ratePerSecond, signal, onProgress};
  if (resume?.backup) {
    const {known, left, backup} = resume;
    return carryOut(writer, run, {...common, work: workLeft(backup, known), total: left, known});
  }
  return carryOut(writer, run, {...common, work: allWork(units), total: units.changes});
};

const nothingWritten = ({code, message, hint}: SesstuiError, {run}: RunReport): SesstuiError =>
  new SesstuiError(
    code,
    message,
    `${hint} Nothing was changed; \`sesstui resume ${run}\` makes the changes when it is allowed.`.trim(),
  );

/** Throws what keeps it from being carried out: a confirmation, the state directory, another process, the store. */
export const runPlan = async (
  plan: Plan,
  stateDirectory: string,
  options: RunOptions,
): Promise<RunResult> => {
  const held = plan as HeldPlan;
  const {checker, units, resume} = held.held;
  requireConfirmations(plan.confirmations, options.confirmed ?? []);
  const result: RunResult = {
    run: null,
    dryRun: false,
    check: plan.check,
    action: plan.action,
    planned: plan.planned,
    applied: 0,
    skipped: 0,
    failed: 0,
    unknown: 0,
    remaining: null,
    changes: plan.changes,
    notes: plan.notes,
    interrupted: false,
  };
  const note = options.note ?? held.held.note;
  if (resume && !resume.backup) {
    const run = await open(stateDirectory, held, note);
    await closeUnbegun(run);
    return {...result, run: run.header.run, skipped: plan.planned, remaining: await remaining(checker, held)};
  }
  if (resume || units.units > 0) {
    const undone = await holdUndone(stateDirectory, held.held);
    let writer: Connector | undefined;
    try {
      options.onProgress?.({phase: 'backup', done: 0, total: units.changes});
      writer = await checker.store.openWriter();
      const run = heldWith(await open(stateDirectory, held, note), undone);
      const {refused, ...report} = await carry(writer, run, held, options);
      if (refused && !resume) throw nothingWritten(refused, report);
      Object.assign(result, report);
      // Rows that a trigger changed as they were put back are not what they were before the run.
      if (undone && report.faults.length === 0)
        await markUndone(stateDirectory, held.held, undone, run.header.run);
    } finally {
      await writer?.close();
      await resume?.close();
      await undone?.release();
    }
  }
  if (options.lookAgain === false) return {...result, ...countResults(result.changes)};
  options.onProgress?.({phase: 'looking', done: 0, total: null});
  return {...result, ...countResults(result.changes), remaining: await remaining(checker, held)};
};

const remaining = (checker: Checker, {held}: HeldPlan): Promise<number | null> =>
  countRemaining(checker, held.header.reasons).catch(() => null);

/** How many findings of these reasons a check has. */
const countRemaining = async (checker: Checker, reasons: string[]): Promise<number> => {
  if (reasons.length === 0) return 0;
  return checker.ask(
    async opened => {
      let count = 0;
      const parts = opened.parts.filter(({form}) =>
        Object.keys(form.form === 'groups' ? form.having : form.tags).some(name => reasons.includes(name)),
      );
      for await (const {judged} of checker.findings(opened, {parts}))
        if (judged.reasons.some(reason => reasons.includes(reason))) count++;
      return count;
    },
    {insist: true},
  );
};

/** A run is undone when nothing of what it did, or may have done, is left. */
const markUndone = async (
  stateDirectory: string,
  {checker, header}: HeldPlan['held'],
  {check}: HeldRun,
  by: string,
): Promise<void> => {
  const run = header.undoes!;
  const isWhole = await checker.store.ask(connector => isTakenBack(connector, stateDirectory, run));
  if (!isWhole) return;
  await check();
  const files = await RunFiles.reopen(stateDirectory, run);
  try {
    await files.journal([{event: 'undone', at: new Date().toISOString(), by}]);
  } finally {
    await files.close();
  }
};
