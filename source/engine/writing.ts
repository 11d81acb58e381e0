/** Whether anything may be written now (contract: readOnly; safety S12). */
import {type Config, environmentName, isProduction} from '../config/schema.js';
import {SesstuiError} from '../errors.js';
import type {ReadOnlyBy} from '../types.js';

/** How long `:write` lifts production's default. */
const liftedForMs = 15 * 60_000;

export class Writing {
  readonly #config: Config;
  readonly #options: {readOnly?: boolean; locked?: boolean};
  /** On the clock that only grows: setting the machine's does not prolong it. */
  #liftedUntil = 0;

  constructor(config: Config, options: {readOnly?: boolean; locked?: boolean}) {
    this.#config = config;
    this.#options = options;
  }

  /** Why not; null when it may. */
  get readOnlyBy(): ReadOnlyBy | null {
    if (this.#options.readOnly) return 'flag';
    if (this.#config.readOnly === true) return 'configuration';
    const byDefault = isProduction(this.#config) && this.#config.readOnly === undefined;
    return byDefault && this.liftedForMs() === 0 ? 'production' : null;
  }

  liftedForMs(): number {
    return Math.max(0, Math.ceil(this.#liftedUntil - performance.now()));
  }

  /** See `Engine.unlock`. */
  unlock(typed: string): number {
    const by = this.readOnlyBy;
    if (by === 'flag' || by === 'configuration') throw this.#refusal(by);
    const name = environmentName(this.#config);
    if (typed !== name)
      throw new SesstuiError(
        'confirmation',
        `"${typed}" is not the name of this environment`,
        `It is ${name}; type it to lift read-only for 15 minutes.`,
      );
    this.#liftedUntil = performance.now() + liftedForMs;
    return liftedForMs;
  }

  /** Read-only again before the time is up. */
  lock(): void {
    this.#liftedUntil = 0;
  }

  /** Throws `read-only`. Headless, production's default is lifted by `--confirm`, which each run asks for itself. */
  require(): void {
    const by = this.readOnlyBy;
    if (by === null || (by === 'production' && !this.#options.locked)) return;
    throw this.#refusal(by);
  }

  #refusal(by: ReadOnlyBy): SesstuiError {
    if (by === 'production')
      return new SesstuiError(
        'read-only',
        `${environmentName(this.#config)} is production, and the configuration does not say readOnly: false`,
        'Lift it for 15 minutes with :write.',
      );
    return new SesstuiError(
      'read-only',
      by === 'flag' ? '--read-only was given' : 'the configuration says readOnly: true',
      'Nothing lifts this: run it without --read-only, with a configuration that allows writing.',
    );
  }
}
