/** Looks at each check again and again, each in a loop of its own, and cleans what it is told to. */
import type {Checker} from '../engine/checker.js';
import type {FullEngine} from '../engine/engine.js';
import {actionsForFound} from '../engine/plan/default-actions.js';
import {asSesstuiError} from '../errors.js';
import {openBackoff} from './backoff.js';
import {type Cleaned, type Cleaning, type CleanOptions, cleanFound, nothingCleaned} from './cleaning.js';
import {lookAt} from './look.js';
import {type Memory, openMemory} from './memory.js';
import type {Look, Round, RoundListener} from './round.js';
import {type Clock, firstPauseMs, machineClock, pauseMs} from './schedule.js';
import {inTurn} from './turn.js';
import {markBegun, markTold, recover, type Subject, untold, workName} from './under-way.js';

export type WatchOptions = {
  everyMs: number;
  stateDirectory: string;
  /** null only looks. */
  clean: Omit<CleanOptions, 'stateDirectory'> | null;
  allowScan?: boolean;
  memory?: Memory;
  clock?: Clock;
  /** From 0 to 1. */
  random?: () => number;
  log?: (level: 'info' | 'warn' | 'error', check: string | null, text: string) => void;
};

export type Watcher = {
  /** Called at the end of each look, and awaited before the check is looked at again. */
  listen(listener: RoundListener): void;
  /** Called with a check's id whenever its loop has got on: a look began or ended, a run made changes. */
  follow(listener: (check: string) => void): void;
  start(): void;
  /** Comes when every loop has ended: a run that is being carried out finishes its chunk. */
  stop(): Promise<void>;
  /** The latest round of each check that was looked at, in the order of the checks. */
  rounds(): Round[];
};

export const openWatcher = (engine: FullEngine, options: WatchOptions): Watcher => {
  const {everyMs, stateDirectory, clean, allowScan} = options;
  const {clock = machineClock, random = Math.random, log = () => undefined} = options;
  const memory = options.memory ?? openMemory(stateDirectory, text => log('warn', null, text));
  const backoff = openBackoff(clock, everyMs);
  const stopping = new AbortController();
  const {signal} = stopping;
  const listeners: RoundListener[] = [];
  const followers: ((check: string) => void)[] = [];
  const latest = new Map<string, Round>();
  /** Checks of which something may be left from a process that was killed. */
  const unsettled = new Set(engine.checks.map(({id}) => id));
  let loops: Promise<void>[] = [];

  const subjectOf = ({id}: Checker): Subject => ({
    environment: engine.environment,
    check: id,
    stateDirectory,
    memory,
  });

  const gotOn = ({id}: Checker): void => {
    for (const follower of followers) follower(id);
  };

  const look = async (checker: Checker): Promise<Look> => {
    gotOn(checker);
    const seen = await lookAt(checker, {signal, allowScan, date: () => clock.date()});
    gotOn(checker);
    return seen;
  };

  const tell = async (seen: Look, cleaned: Cleaned): Promise<void> => {
    const round = {environment: engine.environment, look: seen, stores: engine.status(), ...cleaned};
    latest.set(seen.check, round);
    for (const listener of listeners) {
      try {
        await listener(round);
      } catch (error) {
        log('error', seen.check, `what follows the watch failed: ${asSesstuiError(error).message}`);
      }
    }
  };

  /** Nobody else with this state directory cleans the check meanwhile. */
  const cleanInTurn = async (checker: Checker, how: NonNullable<typeof clean>, seen: Look): Promise<void> => {
    const cleaned = nothingCleaned();
    const subject = subjectOf(checker);
    let isBegun = false;
    const begin = async (): Promise<void> => {
      if (!isBegun) await markBegun(subject, how.note);
      isBegun = true;
    };
    const onProgress = (): void => gotOn(checker);
    const options = {...how, stateDirectory};
    const cleaning: Cleaning = {engine, checker, options, backoff, signal, begin, onProgress};
    const isWhole = await recover(cleaning, subject, cleaned);
    if (isWhole) await cleanFound(cleaning, seen.byReason, cleaned);
    // A stop cuts the second look short: what was seen before is told with what was done.
    const after = cleaned.runs.length > 0 && !signal.aborted ? await look(checker) : seen;
    await tell(after.status === 'error' && signal.aborted ? seen : after, cleaned);
    if (!isWhole || cleaned.runs.some(({interrupted}) => interrupted)) unsettled.add(checker.id);
    else {
      if (isBegun || unsettled.has(checker.id)) await markTold(subject);
      unsettled.delete(checker.id);
    }
  };

  const round = async (checker: Checker): Promise<void> => {
    const seen = await look(checker);
    if (signal.aborted) return;
    const isWanted = unsettled.has(checker.id) || actionsForFound(checker.info, seen.byReason).length > 0;
    if (!clean || seen.status === 'error' || !isWanted) return tell(seen, nothingCleaned());
    let isTold = false;
    try {
      const turn = await inTurn(stateDirectory, workName(subjectOf(checker)), () => {
        isTold = true;
        return cleanInTurn(checker, clean, seen);
      });
      if (turn) return;
    } catch (error) {
      const {message} = asSesstuiError(error);
      log('error', checker.id, message);
      if (isTold) return;
      return tell(seen, {...nothingCleaned(), refused: [{action: 'clean', text: message}]});
    }
    // Another copy is at it.
    return tell(seen, nothingCleaned());
  };

  /** Without cleaning, what was cut off is for a person to finish. */
  const tellCutOff = async (checker: Checker): Promise<void> => {
    const {id} = checker;
    const runs = await untold(subjectOf(checker)).catch(() => []);
    for (const {run, state} of runs)
      if (state === 'interrupted')
        log(
          'warn',
          id,
          `run ${run} of a watch was cut off: \`sesstui resume ${run}\`, or watch with --clean`,
        );
  };

  const loop = async (checker: Checker, index: number): Promise<void> => {
    await clock.pause(firstPauseMs(index, engine.checks.length, everyMs), signal);
    if (!clean) await tellCutOff(checker);
    while (!signal.aborted) {
      const started = clock.nowMs();
      try {
        await round(checker);
      } catch (error) {
        // Never ends a loop: the next look may go well.
        log('error', checker.id, asSesstuiError(error).message);
      }
      await clock.pause(pauseMs(everyMs, clock.nowMs() - started, random()), signal);
    }
  };

  return {
    listen: listener => void listeners.push(listener),
    follow: listener => void followers.push(listener),
    start: () => {
      if (loops.length === 0) loops = engine.checks.map(({id}, index) => loop(engine.checker(id), index));
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
    },
    rounds: () => engine.checks.flatMap(({id}) => latest.get(id) ?? []),
  };
};
