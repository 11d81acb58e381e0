/**
 * What a run puts on disk while it writes, in the order that is the promise (safety S4): a chunk's intent, each
 * transaction before it is committed, the outcomes, the end; and what is told of it. Nothing is put on disk once
 * another process has the run.
 */
import {type Change, canonicalJson, type Outcome, type Prepared} from '../../connector.js';
import {asSesstuiError, type SesstuiError} from '../../errors.js';
import {countResults, type Progress, type ShownChange} from '../../types.js';
import type {JournalLine, RunOutcome} from '../disk/run-files.js';
import {withOutcome} from '../shown.js';
import {auditLine, type OpenRun} from './open-run.js';
import type {Work} from './work.js';

export type Recorded = {
  /** Every change of the run as it is told, those that are not written now among them. */
  shown: ShownChange[];
  /** Changes that are to be written, for progress. */
  total: number;
  secrets: string[];
  onProgress?: (progress: Progress) => void;
};

export type RunReport = {
  run: string;
  changes: ShownChange[];
  interrupted: boolean;
  /** What the user must know besides the outcomes; with any of these a run did not end well. */
  faults: string[];
  /** Set where the store refused all that was tried: nothing was written. */
  refused?: SesstuiError;
};

/** An outcome as the journal keeps it: without the row's image. */
const kept = (outcome: Outcome): RunOutcome => ({
  result: outcome.result,
  ...(outcome.result === 'skipped' ? {why: outcome.why} : {}),
  ...(outcome.result === 'failed' || outcome.result === 'unknown' ? {error: outcome.error} : {}),
  ...(outcome.result === 'applied'
    ? {after: outcome.after && {identity: outcome.after.identity, version: outcome.after.version}}
    : {}),
});

const at = (): string => new Date().toISOString();

/** The numbers of a chunk's units as ranges. */
const intents = (chunk: Work[]): JournalLine[] => {
  const ranges: {from: number; to: number}[] = [];
  for (const {number} of chunk) {
    const last = ranges.at(-1);
    if (last?.to === number) last.to++;
    else ranges.push({from: number, to: number + 1});
  }
  return ranges.map(range => ({event: 'intent', at: at(), ...range}));
};

const knownLines = (known: Map<string, RunOutcome>): JournalLine[] =>
  [...known].map(([name, outcome]) => {
    const [unit, change] = name.split(' ').map(Number) as [number, number];
    return {event: 'outcome', at: at(), unit, change, ...outcome};
  });

/** Was a whole row written that the store then has otherwise? */
const isAltered = (change: Change, outcome: Outcome): boolean => {
  if (outcome.result !== 'applied' || !outcome.after) return false;
  const wanted = 'row' in change ? change.row : 'to' in change && !change.set ? change.to : undefined;
  return wanted !== undefined && canonicalJson(wanted) !== canonicalJson(outcome.after.image);
};

export class RunRecorder {
  readonly faults: string[] = [];
  /** Why a transaction could not be put on disk; it was rolled back, and the run ends. */
  fault: unknown;
  readonly #run: OpenRun;
  readonly #recorded: Recorded;
  readonly #changes: ShownChange[];
  #done = 0;
  #altered = 0;
  #isAudited = false;

  constructor(run: OpenRun, recorded: Recorded) {
    this.#run = run;
    this.#recorded = recorded;
    this.#changes = [...recorded.shown];
  }

  progress(phase: Progress['phase'], more: Pick<Progress, 'text' | 'outcome'> = {}): void {
    const {onProgress, total} = this.#recorded;
    onProgress?.({phase, done: this.#done, total, ...more});
  }

  /** `known`: outcomes that were found out before any writing (a run that is resumed). */
  async begin(known: Map<string, RunOutcome> = new Map()): Promise<void> {
    await this.#run.check();
    await this.#run.files.journal(knownLines(known));
  }

  async intend(chunk: Work[]): Promise<void> {
    await this.#run.check();
    await this.#run.files.journal(intents(chunk));
  }

  /** For a chunk's transactions. When one can't be put on disk, it is rolled back. */
  prepared(chunk: Work[]): (transaction: Prepared) => Promise<void> {
    return async ({token, from, outcomes}) => {
      const units = outcomes.map((list, index) => {
        const item = chunk[from + index]!;
        return {
          unit: item.number,
          outcomes: list.map((outcome, i) => ({change: item.changes[i]!, ...kept(outcome)})),
        };
      });
      try {
        await this.#run.check();
        await this.#run.files.journal([{event: 'prepared', at: at(), token, units}]);
      } catch (error) {
        this.fault = error;
        throw error;
      }
    };
  }

  async outcomes(chunk: Work[], outcomes: Outcome[][]): Promise<void> {
    const lines = chunk.flatMap((item, index) => this.#tell(item, outcomes[index]!));
    if (this.fault) throw this.fault;
    // Who has taken over has found out what was done here, and has the last word.
    await this.#run.check();
    await this.#run.files.journal(lines);
  }

  #tell(item: Work, outcomes: Outcome[]): JournalLine[] {
    return outcomes.map((outcome, index) => {
      const place = item.shown[index]!;
      const told = withOutcome(this.#changes[place]!, outcome, this.#recorded.secrets);
      this.#changes[place] = told;
      this.#done++;
      if (isAltered(item.unit.changes[index]!, outcome)) this.#altered++;
      this.progress('changes', {outcome: told});
      return {event: 'outcome', at: at(), unit: item.number, change: item.changes[index]!, ...kept(outcome)};
    });
  }

  /** The audit log first: a run that is told as done has been audited. */
  async end(event: 'done' | 'interrupted'): Promise<void> {
    await this.#run.check();
    await this.#audit(event);
    this.#isAudited = true;
    await this.#run.files.journal([{event, at: at()}]);
  }

  #audit(event: 'done' | 'interrupted'): Promise<void> {
    const {stateDirectory, header} = this.#run;
    return auditLine(stateDirectory, header, {event, ...countResults(this.#changes)});
  }

  /** What was written stays written: the run is told with the outcomes that are known here. */
  async failed(error: unknown): Promise<void> {
    const {files, header, check} = this.#run;
    this.faults.push(
      `${asSesstuiError(error).message}: the run was stopped there; the rows as they were are in ${files.directory}/backup.jsonl, and \`sesstui resume ${header.run}\` finishes it`,
    );
    // Where another process has the run now, it is that one's to tell of.
    const isOurs = await check().then(
      () => true,
      () => false,
    );
    if (isOurs && !this.#isAudited)
      await this.#audit('interrupted').catch(fault => this.faults.push(asSesstuiError(fault).message));
  }

  report(interrupted: boolean): RunReport {
    const altered =
      this.#altered > 0
        ? [
            `${this.#altered} rows were written back and are not as they were: a trigger of the store changed them`,
          ]
        : [];
    return {
      run: this.#run.header.run,
      changes: this.#changes,
      interrupted,
      faults: [...this.faults, ...altered],
    };
  }
}
