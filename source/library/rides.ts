/**
 * The rides functions (contract: Library): what a payment flow, a dashboard and a periodic job ask of stale sessions.
 * Callers at once share looks and runs, so that a hundred of them cost a few; a caller gets what its own call did.
 */
import {setTimeout as pause} from 'node:timers/promises';
import type {StaleSessionsConfig} from '../config/schema.js';
import {Checker} from '../engine/checker.js';
import {asSesstuiError, SesstuiError} from '../errors.js';
import {isText} from './arguments.js';
import type {LibraryContext, Which} from './context.js';
import {Gather, type Shared} from './gather.js';
import {
  agedChecker,
  type CleanupStatistics,
  cancelStale,
  durationOfMinutes,
  noStatistics,
  type RidesChecker,
} from './rides-jobs.js';
import {type KindName, kinds} from './rides-kinds.js';
import {type BlockedBy, lookAt, type OpenRow} from './rides-look.js';

export type CustomerStatus = {
  /** A waiting or active session, or a pending request, is in the way of a new one. */
  blocked: boolean;
  blockedBy: BlockedBy[];
  /** How many sessions this call cancelled; what another caller cancelled at the same time is that one's. */
  cleaned: number;
};

/** In production a periodic cleanup beyond `limits` wants `ENVIRONMENT:COUNT`, as `--confirm` does. */
export type Confirming = Which & {confirm?: string[]};

/** What is asked of a lane, as its key. */
type Wanted = {kind: KindName; minutes: number | null; customer: string | null; confirm: string[]};

/** How often a customer's stale rows are looked at: another transaction may hold them for a moment. */
const mostLooks = 4;
const firstPauseMs = 50;

/** Ids that mean something else as a group's value (JSON) are planned alone, as a customer. */
const isPlain = (customer: string): boolean => !/^(?:null$|[["])/.test(customer);

/** Keys whose customers can go into one plan. */
const alike = (keys: string[]): string[][] => {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const {customer, ...rest} = JSON.parse(key) as Wanted;
    const name = JSON.stringify([rest, isPlain(customer!) ? null : customer]);
    groups.set(name, [...(groups.get(name) ?? []), key]);
  }
  return [...groups.values()];
};

/** What is asked at once of one check. Customers never wait for a periodic cleanup, which may take minutes. */
class Lanes {
  readonly #context: LibraryContext;
  readonly #checker: RidesChecker;
  readonly #signal: AbortSignal;
  readonly looks = new Gather<OpenRow[]>(customers => lookAt(this.#checker, customers));
  readonly customers = new Gather<CleanupStatistics>(keys => this.#ofCustomers(keys), {most: 25, pieces: 4});
  readonly periodic = new Gather<CleanupStatistics>(keys => this.#ofAll(keys[0]!), {most: 1});

  constructor(context: LibraryContext, checker: RidesChecker, signal: AbortSignal) {
    this.#context = context;
    this.#checker = checker;
    this.#signal = signal;
  }

  async #ofCustomers(keys: string[]): Promise<Map<string, CleanupStatistics | Error>> {
    const told = new Map<string, CleanupStatistics | Error>();
    for (const some of alike(keys)) {
      const wanted = some.map(key => JSON.parse(key) as Wanted);
      const {kind: name, minutes} = wanted[0]!;
      const kind = kinds[name];
      const customers = wanted.map(({customer}) => customer!);
      const counts = new Map(customers.map(customer => [customer, noStatistics()]));
      const selection = isPlain(customers[0]!) ? {groups: customers} : {customer: customers[0]!};
      try {
        const checker = agedChecker(this.#checker, kind, minutes);
        const job = {kind, checker, selection, confirmed: [], byName: true};
        await cancelStale(this.#context, job, customer => counts.get(customer));
        for (const [index, key] of some.entries()) told.set(key, counts.get(customers[index]!)!);
      } catch (error) {
        for (const key of some) told.set(key, asSesstuiError(error));
      }
    }
    return told;
  }

  async #ofAll(key: string): Promise<Map<string, CleanupStatistics>> {
    const {kind: name, minutes, confirm} = JSON.parse(key) as Wanted;
    const kind = kinds[name];
    const counts = noStatistics();
    // One of its own: its questions, which may be long, don't stand before those of customers.
    const {store, config, scanLimit} = agedChecker(this.#checker, kind, minutes);
    const checker = new Checker(store, config, scanLimit) as RidesChecker;
    const job = {kind, checker, selection: {}, confirmed: confirm, byName: false, signal: this.#signal};
    await cancelStale(this.#context, job, () => counts);
    return new Map([[key, counts]]);
  }
}

const customerIdOf = (customerId: string | number): string => {
  const id = typeof customerId === 'number' ? String(customerId) : customerId;
  if (isText(id) && id !== '' && !id.includes('\0')) return id;
  throw new SesstuiError(
    'usage',
    'customerId is not the id of a customer',
    'Give it as a text that is not empty, or as a number.',
  );
};

/** The functions over one context. `signal` ends periodic cleanups after their current chunk. */
export class Rides {
  readonly #context: LibraryContext;
  readonly #signal: AbortSignal;
  readonly #lanes = new Map<string, Lanes>();

  constructor(context: LibraryContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  #lanesOf(which: Which): Lanes {
    const checker = this.#context.checker<StaleSessionsConfig>('stale-sessions', which);
    const lanes = this.#lanes.get(checker.id) ?? new Lanes(this.#context, checker, this.#signal);
    this.#lanes.set(checker.id, lanes);
    return lanes;
  }

  /** See `Sesstui`. */
  async checkCustomerSessionStatus(customerId: string | number, which: Which = {}): Promise<CustomerStatus> {
    const customer = customerIdOf(customerId);
    const lanes = this.#lanesOf(which);
    let cleaned = 0;
    let refused = false;
    for (let looks = 1; ; looks++) {
      const {value: open} = await lanes.looks.ask(customer);
      if (refused || looks === mostLooks || !open.some(({cleanable}) => cleanable))
        return {
          blocked: open.length > 0,
          blockedBy: open.map(({cleanable: _, ...blocking}) => blocking),
          cleaned,
        };
      if (looks > 1) await pause(firstPauseMs * 2 ** (looks - 2));
      const {value, first} = await lanes.customers.ask(
        keyOf({kind: 'checkCustomerSessionStatus', customer, minutes: null, confirm: []}),
      );
      if (first) cleaned += value.sessionsCancelled;
      // The store has been asked more than once by then.
      refused = value.failed + value.unknown > 0;
    }
  }

  /** See `Sesstui`. */
  async cleanupCustomerWaitingSessions(
    customerId: string | number,
    maxAgeMinutes?: number,
    which: Which = {},
  ): Promise<CleanupStatistics> {
    const customer = customerIdOf(customerId);
    const minutes = minutesOf(maxAgeMinutes);
    const {customers} = this.#lanesOf(which);
    const kind = 'cleanupCustomerWaitingSessions';
    return ownOf(await customers.ask(keyOf({kind, minutes, customer, confirm: []})));
  }

  /** See `Sesstui`. */
  async cleanAll(
    kind: KindName,
    maxAgeMinutes: number | undefined,
    {confirm = [], ...which}: Confirming = {},
  ): Promise<CleanupStatistics> {
    const minutes = minutesOf(maxAgeMinutes);
    const {periodic} = this.#lanesOf(which);
    return ownOf(await periodic.ask(keyOf({kind, minutes, customer: null, confirm})));
  }
}

const keyOf = (wanted: Wanted): string => JSON.stringify(wanted);

/** Throws `usage` before anything is asked. */
const minutesOf = (maxAgeMinutes: number | undefined): number | null => {
  if (maxAgeMinutes === undefined) return null;
  durationOfMinutes(maxAgeMinutes);
  return maxAgeMinutes;
};

/** Of callers that shared a run, the first made it: added up, their statistics are what was done. */
const ownOf = ({value, first}: Shared<CleanupStatistics>): CleanupStatistics =>
  first ? value : noStatistics();
