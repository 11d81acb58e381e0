/** What an install or uninstall puts on disk as it goes: each step before it is carried out and after it. */
import type {GuardStep} from '../../guards.js';
import {type RunOutcome, takenBack} from '../disk/run-files.js';
import {auditLine, type OpenRun} from '../run/open-run.js';

const at = (): string => new Date().toISOString();

export class StepRecorder {
  readonly run: OpenRun;
  readonly #numbers = new Map<string, number>();
  readonly #results = new Map<number, RunOutcome['result']>();
  readonly #applied = new Map<number, {guard: string; step: string}>();

  constructor(run: OpenRun) {
    this.run = run;
  }

  #number(guard: string, step: GuardStep): number {
    const name = `${guard} ${step.name}`;
    const known = this.#numbers.get(name) ?? this.#numbers.size;
    this.#numbers.set(name, known);
    return known;
  }

  async begun(guard: string, step: GuardStep): Promise<void> {
    await this.run.check();
    const from = this.#number(guard, step);
    await this.run.files.journal([{event: 'intent', at: at(), from, to: from + 1}]);
  }

  async ended(guard: string, step: GuardStep, outcome: RunOutcome): Promise<void> {
    const unit = this.#number(guard, step);
    this.#results.set(unit, outcome.result);
    if (outcome.result === 'applied') this.#applied.set(unit, {guard, step: step.name});
    const line = {event: 'outcome' as const, at: at(), unit, change: 0, guard, step: step.name, ...outcome};
    await this.run.files.journal([line]);
  }

  /** Nothing of what was done for these guards is there any more. */
  async takenBack(guards: readonly string[]): Promise<void> {
    const gone = [...this.#applied].filter(([, {guard}]) => guards.includes(guard));
    for (const [unit] of gone) this.#results.set(unit, 'skipped');
    await this.run.files.journal([
      {event: 'taken-back', at: at()},
      ...gone.map(([unit, step]) => ({
        ...{event: 'outcome' as const, at: at(), unit, change: 0, ...step},
        ...{result: 'skipped' as const, why: takenBack},
      })),
    ]);
  }

  /** `done`: there is nothing to go on with, whether it went well or was stopped by something. */
  async end(event: 'done' | 'interrupted', stopped?: string): Promise<void> {
    await this.run.check();
    if (event === 'done') await this.#skipRest();
    const counts = {applied: 0, skipped: 0, failed: 0, unknown: 0};
    for (const result of this.#results.values()) counts[result]++;
    const why: Record<string, string> = stopped === undefined ? {} : {stopped};
    await auditLine(this.run.stateDirectory, this.run.header, {event, ...counts, ...why});
    await this.run.files.journal([{event, at: at(), ...why}]);
  }

  /** Planned steps that there was no need of, or that were not come to. */
  async #skipRest(): Promise<void> {
    const {files, header} = this.run;
    for (let unit = 0; unit < header.planned; unit++) {
      if (this.#results.has(unit)) continue;
      this.#results.set(unit, 'skipped');
      await files.journal([
        {event: 'outcome', at: at(), unit, change: 0, result: 'skipped', why: 'not-needed'},
      ]);
    }
  }
}
