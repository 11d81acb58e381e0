/** One customer over all stores: every row that is theirs, what is wrong with it, and what blocks them. */
import {type Config, environmentName} from '../config/schema.js';
import type {Row} from '../connector.js';
import {asSesstuiError} from '../errors.js';
import {normalise, valueAt} from '../evaluate.js';
import type {Pred, Rows} from '../forms.js';
import type {Finding} from '../types.js';
import {isAbsent, toText} from '../values.js';
import type {Checker} from './checker.js';
import type {CustomerOptions, CustomerReport} from './customer/report.js';
import {keyOf, shownValues} from './findings.js';
import {isChosen, narrowed} from './selecting.js';
import type {Store} from './stores.js';

export type {
  Blocking,
  CustomerOptions,
  CustomerReport,
  CustomerSession,
  Hindrance,
} from './customer/report.js';

type Hit = {row: Row; now: number};

/** Rows of a check's tables in which one of the ids stands. */
const search = (checker: Checker, ids: string[]): Promise<Hit[]> =>
  checker.ask(
    async ({connector, shapes, now}) => {
      const hits: Hit[] = [];
      for (const {where, form} of checker.check.identities(checker.config, shapes)) {
        const match: Pred = {any: where.map(of => ({in: 'norm' in of ? ids.map(normalise) : ids, of}))};
        for await (const found of connector.read(form(match), {now})) hits.push({row: found.rows[0]!, now});
      }
      return hits;
    },
    {insist: true},
  );

/** Customer ids that the configured identities map an email to. */
const idsOfEmail = async (config: Config, stores: Map<string, Store>, email: string): Promise<string[]> => {
  const ids: string[] = [];
  for (const {store, table, id, email: column} of config.identities) {
    await stores.get(store)!.ask(
      async connector => {
        const form: Rows = {
          form: 'rows',
          from: table,
          where: {in: [normalise(email)], of: {norm: column}},
          show: [id],
          tags: {},
        };
        for await (const found of connector.read(form, {now: await connector.now()}))
          ids.push(toText(valueAt(found.rows[0]!.values, id)));
      },
      {insist: true},
    );
  }
  return ids;
};

const isBlank = (text: string): boolean => text === '';

/** The customers whose rows were hit, besides the ids asked for. */
const owners = (checker: Checker, hits: Hit[]): string[] =>
  hits
    .map(({row}) => checker.check.customerOf(checker.config, row))
    .filter(value => !isAbsent(value))
    .map(toText)
    .filter(text => !isBlank(text));

const findingsOf = (checker: Checker, ids: string[]): Promise<Finding[]> =>
  checker.ask(
    async opened => {
      const found = new Map<string, Finding>();
      for (const customer of ids) {
        const selection = {customer};
        const parts = opened.parts.map(part => ({...part, form: narrowed(part, selection)}));
        for await (const {part, judged, finding} of checker.findings(opened, {parts}))
          if (isChosen(selection, part, judged, finding)) found.set(finding.id, finding);
      }
      return [...found.values()];
    },
    {insist: true},
  );

const ageSeconds = (since: number | null, now: number): number | null =>
  since === null ? null : Math.max(0, Math.floor((now - since) / 1e6));

/** Everything about one customer; a store that can't answer is an entry in `errors`, the others still do. */
export const customerReport = async (
  config: Config,
  stores: Map<string, Store>,
  checkers: Checker[],
  customer: string,
  _options: CustomerOptions = {},
): Promise<CustomerReport> => {
  const report: CustomerReport = {
    customer,
    environment: environmentName(config),
    at: new Date().toISOString(),
    verdict: '',
    hindrances: [],
    waiting: [],
    searched: [],
    notes: [],
    known: [],
    blocked: false,
    blockedBy: [],
    sessions: [],
    findings: [],
    cleaned: 0,
    errors: [],
  };
  const fail =
    (checker: Checker) =>
    (error: unknown): undefined => {
      if (!report.errors.some(({check}) => check === checker.id))
        report.errors.push({check: checker.id, error: asSesstuiError(error).toJSON()});
    };
  const asked = [customer, ...(customer.includes('@') ? await idsOfEmail(config, stores, customer) : [])];
  const first = await Promise.all(checkers.map(checker => search(checker, asked).catch(fail(checker))));
  const ids = [
    ...new Set([...asked, ...checkers.flatMap((checker, index) => owners(checker, first[index] ?? []))]),
  ];
  report.known = ids.filter(id => id !== customer);
  const hits =
    ids.length === asked.length
      ? first
      : await Promise.all(checkers.map(checker => search(checker, ids).catch(fail(checker))));
  const findings = await Promise.all(checkers.map(checker => findingsOf(checker, ids).catch(fail(checker))));
  for (const [index, checker] of checkers.entries()) {
    for (const {row, now} of hits[index] ?? []) {
      const blocks = checker.check.blocks?.(checker.config, row, now) ?? null;
      const key = keyOf(row);
      const common = {store: checker.store.name, check: checker.id};
      report.sessions.push({
        ...common,
        table: row.table,
        key,
        values: shownValues(row.values, checker.config.secrets),
        status: blocks?.status ?? checker.check.statusOf?.(checker.config, row) ?? null,
        ageSeconds: blocks ? ageSeconds(blocks.since, now) : null,
        at: null,
        wrong: [],
        blocks: blocks !== null,
      });
      if (blocks)
        report.blockedBy.push({
          ...common,
          table: row.table,
          what: 'session',
          wrong: [],
          id: toText(blocks.id),
          status: blocks.status,
          ageSeconds: ageSeconds(blocks.since, now),
          stale: blocks.stale,
        });
    }
    report.findings.push(...(findings[index] ?? []).map(finding => ({check: checker.id, ...finding})));
  }
  report.blocked = report.blockedBy.length > 0;
  return report;
};
