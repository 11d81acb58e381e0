/**
 * One customer over all stores: every row that is theirs, what is wrong with it, and what blocks them. Each store is
 * asked as soon as there is something to ask it, and answers on its own time; what one tells is asked of the others.
 */

import {parseDuration} from '../../config/duration.js';
import {type Config, environmentName, isProduction} from '../../config/schema.js';
import {asSesstuiError, SesstuiError} from '../../errors.js';
import type {CheckError, Finding} from '../../types.js';
import type {Checker} from '../checker.js';
import type {Store} from '../stores.js';
import {assemble} from './assemble.js';
import {bounded} from './bounded.js';
import type {CustomerOptions, CustomerReport} from './report.js';
import {type Resolved, resolve} from './resolve.js';
import {type Hit, mostRows, search, type Unsearched, type Wanted} from './search.js';
import {type Source, sourcesOf} from './sources.js';

/** What one source was asked for and has told. */
type Asking = {
  source: Source;
  wanted: {typed: boolean; customers: Set<string>; links: Set<string>};
  hits: Map<string, Hit>;
  findings: Finding[];
  more: Map<string, number>;
  searched: string[];
  unsearched: Map<string, Unsearched>;
  answered: boolean;
  error: CheckError | null;
};

const asking = (source: Source): Asking => ({
  source,
  wanted: {typed: false, customers: new Set(), links: new Set()},
  hits: new Map(),
  findings: [],
  more: new Map(),
  searched: [],
  unsearched: new Map(),
  answered: false,
  error: null,
});

/** What a source has not been asked for yet; null when there is nothing. */
const nextWanted = ({source, wanted}: Asking, typed: string, {known, links}: Resolved): Wanted | null => {
  const next: Wanted = {
    typed: wanted.typed ? null : typed,
    customers: known.filter(value => !wanted.customers.has(value)),
    links: (links.get(source.id) ?? []).filter(value => !wanted.links.has(value)),
  };
  return next.typed === null && next.customers.length + next.links.length === 0 ? null : next;
};

const hitsOf = (all: Asking[]): Hit[] => all.flatMap(({hits}) => [...hits.values()]);

/** Never rejects: a source that can't answer is an error of the report. */
const ask = async (one: Asking, wanted: Wanted, timeoutMs: number, signal: AbortSignal): Promise<void> => {
  one.wanted.typed = true;
  for (const value of wanted.customers) one.wanted.customers.add(value);
  for (const value of wanted.links) one.wanted.links.add(value);
  const {source} = one;
  try {
    const answer = await bounded(inner => search(source, wanted, one.hits, inner), {
      timeoutMs,
      signal,
      store: source.store.name,
    });
    one.hits = new Map(answer.hits.map(hit => [hit.mark, hit]));
    one.findings = answer.findings;
    one.searched = answer.searched;
    for (const item of answer.unsearched) one.unsearched.set(`${item.table} ${item.column}`, item);
    for (const {table, total} of answer.more) one.more.set(table, Math.max(total, one.more.get(table) ?? 0));
  } catch (error) {
    one.error = asSesstuiError(error).toJSON();
  }
  one.answered = true;
};

/** What was not searched may hold something: it is told like a store that could not be asked. */
const scanErrors = ({source, unsearched}: Asking): CustomerReport['errors'] =>
  [...unsearched.values()].map(({table, column, rows}) => ({
    check: source.id,
    error: {
      code: 'scan-limit',
      message: `${table}.${column} was not searched: it has no index, and about ${rows} rows are more than limits.scan (${source.scanLimit})`,
      hint: `Add --allow-scan to read them all the same, raise limits.scan, or add an index on ${column}.`,
    },
  }));

const moreNotes = (all: Asking[]): string[] =>
  all.flatMap(({source, more}) =>
    [...more].map(
      ([table, total]) =>
        `${total} rows of ${source.id} ${table} were found: ${mostRows} of them are looked at, those that block first`,
    ),
  );

const partOf = (config: Config, customer: string, all: Asking[], busy: Set<Asking>): CustomerReport => {
  const resolved = resolve(customer, hitsOf(all));
  const waiting = all.filter(one => busy.has(one) || !one.answered).map(({source}) => source.store.name);
  return assemble(
    {
      customer,
      environment: environmentName(config),
      production: isProduction(config),
      at: new Date().toISOString(),
      waiting: [...new Set(waiting)],
      searched: all.flatMap(({source, searched}) => searched.map(text => `${source.store.name}: ${text}`)),
      notes: [...resolved.notes, ...moreNotes(all)],
      errors: all.flatMap(one => [
        ...(one.error ? [{check: one.source.id, error: one.error}] : []),
        ...scanErrors(one),
      ]),
    },
    resolved,
    all,
  );
};

/**
 * Everything about one customer; a store that can't answer, or doesn't within twice its time limit, is an entry in
 * `errors`, the others still do. Throws `usage` for an empty id, and the signal's reason.
 */
export const customerReport = async (
  config: Config,
  stores: Map<string, Store>,
  checkers: Checker[],
  customer: string,
  {
    signal,
    onPart,
    timeoutMs,
    allowScan = false,
  }: CustomerOptions & {timeoutMs?: number; allowScan?: boolean} = {},
): Promise<CustomerReport> => {
  if (customer.trim() === '')
    throw new SesstuiError(
      'usage',
      'a customer has no empty id',
      'Name a customer id, account id, session id or email.',
    );
  signal?.throwIfAborted();
  const scanLimit = isProduction(config) && !allowScan ? config.limits.scan : null;
  const all = sourcesOf(config, stores, checkers, scanLimit).map(asking);
  const running = new Map<Asking, Promise<void>>();
  const leaving = new AbortController();
  const both = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
  try {
    for (;;) {
      const resolved = resolve(customer, hitsOf(all));
      for (const one of all) {
        const wanted = running.has(one) || one.error ? null : nextWanted(one, customer, resolved);
        if (!wanted) continue;
        const limit = 2 * (timeoutMs ?? parseDuration(one.source.store.config.timeout));
        running.set(
          one,
          ask(one, wanted, limit, both).finally(() => running.delete(one)),
        );
      }
      const part = partOf(config, customer, all, new Set(running.keys()));
      if (all.some(({answered}) => answered)) onPart?.(part);
      if (running.size === 0) return part;
      await Promise.race(running.values());
      signal?.throwIfAborted();
    }
  } finally {
    leaving.abort();
  }
};
