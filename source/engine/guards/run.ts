/** Carrying out an install or uninstall: what must hold before, what is written down, what is told after. */
import type {Connector} from '../../connector.js';
import {asSesstuiError, SesstuiError} from '../../errors.js';
import type {GuardPlan, GuardProgress, GuardResult} from '../../guards.js';
import type {Planning} from '../plan/held-plan.js';
import {beginGuards} from './begin.js';
import {type Install, installGuards} from './install.js';
import {infosOf} from './look.js';
import type {Prepared} from './prepare.js';
import {StepRecorder} from './recorder.js';
import {shapesOf} from './rules.js';
import {type Carrying, Elsewhere, Interruption, uninstallAll} from './steps.js';

export type GuardRunOptions = {
  note?: string;
  confirmed?: string[];
  signal?: AbortSignal;
  onProgress?: (progress: GuardProgress) => void;
};

/** Where no lock keeps others away, another install may have finished it meanwhile: what is there is that one's. */
const isFinishedElsewhere = async ({keeper, guards, signal}: Carrying): Promise<boolean> => {
  if (keeper.hold) return false;
  for (const {rule} of guards) {
    const {state, left} = await keeper.state(rule, signal);
    if (state !== 'installed' || left !== undefined) return false;
  }
  return true;
};

/** Takes out again what was not there before an install that can't be finished. */
const takeBack = async (
  prepared: Prepared,
  carrying: Carrying,
  notes: string[],
): Promise<'done' | 'interrupted'> => {
  const own = prepared.guards.filter(
    ({name}) => prepared.plan.before.find(({guard}) => guard === name)?.state !== 'installed',
  );
  try {
    if (await isFinishedElsewhere(carrying)) {
      notes.push('the guards are installed all the same: they stay');
      return 'done';
    }
    await uninstallAll({...carrying, done: [], isTakingBack: true}, own);
    await carrying.recorder.takenBack(own.map(({name}) => name));
    carrying.done.length = 0;
    notes.push('what the install had put into the database was taken out again');
  } catch (error) {
    if (error instanceof Interruption || carrying.signal?.aborted) return 'interrupted';
    notes.push(
      `what the install had put into the database could not be taken out again (${asSesstuiError(error).message}): \`sesstui guards uninstall ${prepared.plan.check}\` does`,
    );
  }
  return 'done';
};

/** The result of a plan of which nothing was carried out. */
export const nothingYet = (plan: GuardPlan, notes: string[]): GuardResult => ({
  run: null,
  dryRun: false,
  check: plan.check,
  direction: plan.direction,
  guards: plan.before,
  steps: [],
  runs: [],
  notes,
  interrupted: false,
});

type Ended = Pick<GuardResult, 'interrupted' | 'error'>;

const carryOut = async (prepared: Prepared, install: Install): Promise<Ended> => {
  const {carrying, notes} = install;
  const isInstall = prepared.plan.direction === 'install';
  try {
    await (isInstall ? installGuards(install) : uninstallAll(carrying));
    return {interrupted: false};
  } catch (error) {
    if (error instanceof Interruption || carrying.signal?.aborted) return {interrupted: true};
    const fault = asSesstuiError(error);
    // Another process has it now, or the store can't be written to: then there is nothing to be done here.
    if (error instanceof Elsewhere) notes.push('what is there stays: it may be of the other one');
    else if (isInstall && !['state', 'unreachable', 'refused', 'read-only'].includes(fault.code)) {
      const taken = await takeBack(prepared, carrying, notes);
      if (taken === 'interrupted') return {interrupted: true};
    }
    return {interrupted: false, error: fault.toJSON()};
  }
};

/** The last line of its journal. */
const endRun = async (recorder: StepRecorder, result: GuardResult): Promise<void> => {
  if (result.interrupted)
    result.notes.push('what was done stays: install or uninstall again goes on from there');
  try {
    await recorder.end(result.interrupted ? 'interrupted' : 'done', result.error?.message);
  } catch (error) {
    result.error ??= asSesstuiError(error).toJSON();
  }
};

/** Sets how the guards are afterwards. What was done is told all the same where that can't be seen: by the fault. */
const lookAfter = async (
  {checker, plan}: Prepared,
  writer: Connector,
  result: GuardResult,
): Promise<GuardResult['error']> => {
  try {
    const infos = await infosOf(checker, writer, await shapesOf(checker, writer));
    result.guards = infos.filter(({guard}) => plan.guards.includes(guard));
    return undefined;
  } catch (error) {
    const fault = asSesstuiError(error).toJSON();
    result.guards = plan.before.map(info => ({
      ...info,
      state: 'unavailable',
      why: fault.message,
      error: fault,
    }));
    return fault;
  }
};

/** Why guards are not as they should be though every step was done; null when they are. */
const unfinished = ({check, direction, guards}: GuardResult): SesstuiError | null => {
  const wrong = guards.find(({state}) =>
    direction === 'install' ? state !== 'installed' : state === 'installed',
  );
  return wrong
    ? new SesstuiError(
        'internal',
        `${check}: guard ${wrong.guard} is ${wrong.state}${wrong.why ? ` (${wrong.why})` : ''} though every step was done`,
        `Look at it with \`sesstui guards ${check}\`.`,
      )
    : null;
};

/** From a look at what is there that nobody else could make old meanwhile, where the store can hold its tables. */
export const writeGuards = async (
  planning: Planning,
  prepared: Prepared,
  writer: Connector,
  options: GuardRunOptions,
): Promise<GuardResult> => {
  const {plan, checker, guards, before} = prepared;
  const {signal, onProgress} = options;
  const notes = [...prepared.notes];
  const result = nothingYet(plan, notes);
  const run = await beginGuards(planning, prepared, options.note ?? null);
  result.run = run.header.run;
  try {
    const recorder = new StepRecorder(run);
    const carrying: Carrying = {
      keeper: writer.guards,
      recorder,
      guards,
      before,
      done: result.steps,
      signal,
      onProgress,
    };
    const install: Install = {
      carrying,
      mending: {planning, checker, guards, signal},
      allowScan: planning.allowScan,
      note: `${options.note ? `${options.note}; ` : ''}for the guards of run ${run.header.run}`,
      allowed: plan.mends.reduce((sum, {changes}) => sum + changes, 0) + planning.config.limits.changes,
      runs: result.runs,
      notes,
    };
    Object.assign(result, await carryOut(prepared, install));
    const isThrough = !result.error && !result.interrupted;
    if (!isThrough) await endRun(recorder, result);
    const fault = await lookAfter(prepared, writer, result);
    if (isThrough) {
      if (!fault) result.error = unfinished(result)?.toJSON();
      await endRun(recorder, result);
    }
    result.error ??= fault;
  } finally {
    await run.close();
  }
  return result;
};
