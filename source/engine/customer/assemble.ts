/** Makes the report of what was found: the timeline, what is wrong, what blocks, and the verdict. */
import type {Hinders} from '../../checks/check.js';
import {markOf, type Row} from '../../connector.js';
import {shorten} from '../../sanitise.js';
import {masked} from '../../secrets.js';
import type {Finding} from '../../types.js';
import {isoOfMicros, type Json, toText, type Value} from '../../values.js';
import type {Checker} from '../checker.js';
import {keyOf, keyText, shownMap, shownValues} from '../findings.js';
import type {Blocking, CustomerReport, CustomerSession, Hindrance} from './report.js';
import type {Resolved} from './resolve.js';
import type {Hit} from './search.js';
import type {Source} from './sources.js';
import {verdictOf} from './verdict.js';

/** What is known of one source: its answers so far. */
export type Known = {source: Source; findings: Finding[]};

type Told = {session: CustomerSession; since: number | null; blocking: Blocking | null};

const ageSeconds = (since: number | null, now: number): number | null =>
  since === null || since > now ? null : Math.floor((now - since) / 1e6);

const marksOf = ({rows}: Finding): string[] => rows.map(({table, identity}) => markOf(table, identity));

/** An id as it is shown: masked where its column is secret. */
const shownId = (id: Value, row: Row, shown: Record<string, Json>): Json => {
  const column = Object.keys(row.values).find(name => row.values[name] === id && shown[name] === masked);
  return column === undefined ? toText(id) : masked;
};

const tell = (checker: Checker, hit: Hit, findings: Finding[]): Told => {
  const {row, now, table} = hit;
  const {check, config} = checker;
  const on = findings.filter(finding => marksOf(finding).includes(hit.mark));
  const wrong = [...new Set(on.flatMap(({reasons}) => reasons))];
  const values = shownValues(row.values, config.secrets);
  const since = check.since(config, row);
  const blocks = check.blocks?.(config, row, now) ?? null;
  const cancelled = on.find(({actions}) => actions.includes('cancel'));
  const common = {store: checker.store.name, check: checker.id, table};
  return {
    since,
    session: {
      ...common,
      key: shownMap(keyOf(row), config.secrets),
      values,
      status: blocks?.status ?? check.statusOf?.(config, row) ?? null,
      at: since === null ? null : isoOfMicros(since),
      ageSeconds: ageSeconds(since, now),
      wrong,
      blocks: blocks !== null,
    },
    blocking: blocks && {
      ...common,
      id: shownId(blocks.id, row, values),
      what: blocks.what,
      status: blocks.status,
      ageSeconds: ageSeconds(blocks.since, now),
      // What the check would cancel for another reason (no request) is as stale as what is too old.
      stale: cancelled !== undefined,
      wrong,
      finding: cancelled?.id ?? null,
    },
  };
};

const narrowing = ({by}: Hinders, finding: Finding): string[] => {
  if (by === 'id') return ['--id', keyText(finding.rows[0]!.key)];
  const group = typeof finding.group === 'string' ? finding.group : JSON.stringify(finding.group);
  return [by === 'group' ? '--group' : '--customer', group];
};

/** `confirm`: what production asks for. */
const hindrancesOf = (checker: Checker, findings: Finding[], confirm: string[]): Hindrance[] =>
  findings.flatMap(finding =>
    finding.reasons.flatMap((reason): Hindrance[] => {
      const hinders = checker.check.hinders?.[reason];
      if (!hinders) return [];
      const {what, text, action} = hinders;
      const words = [
        'clean',
        checker.id,
        '--action',
        action ?? '',
        ...narrowing(hinders, finding),
        '--yes',
        ...confirm,
      ];
      const offered = action !== null && finding.actions.includes(action);
      return [
        {store: checker.store.name, check: checker.id, reason, what, text, command: offered ? words : null},
      ];
    }),
  );

const newestFirst = (a: Told, b: Told): number =>
  a.since === null || b.since === null
    ? Number(a.since === null) - Number(b.since === null)
    : b.since - a.since;

const doubtfulNote = (customer: string, known: string[]): string =>
  `${shorten(customer, 100)} is the id of a row of ${known.map(id => shorten(id, 100)).join(', ')}; where could not be asked it may be another customer's own, so that nothing is planned: ask for the customer`;

export type About = Pick<
  CustomerReport,
  'customer' | 'environment' | 'at' | 'waiting' | 'searched' | 'notes' | 'errors'
> & {production: boolean};

export const assemble = (about: About, resolved: Resolved, all: Known[]): CustomerReport => {
  const timeline: Told[] = [];
  const findings: CustomerReport['findings'] = [];
  const hindrances: Hindrance[] = [];
  for (const {source, findings: found} of all) {
    const {checker} = source;
    if (!checker) continue;
    const hits = resolved.theirs.filter(hit => hit.source === source.id);
    const marks = new Set(hits.map(({mark}) => mark));
    const own = found.filter(finding => marksOf(finding).some(mark => marks.has(mark)));
    timeline.push(...hits.filter(({isSession}) => isSession).map(hit => tell(checker, hit, own)));
    findings.push(...own.map(finding => ({check: checker.id, ...finding})));
    hindrances.push(...hindrancesOf(checker, own, about.production ? ['--confirm', about.environment] : []));
  }
  timeline.sort(newestFirst);
  const doubtful = resolved.guessed && about.errors.length + about.waiting.length > 0;
  const blockedBy = timeline.flatMap(({blocking}) => (blocking ? [blocking] : []));
  const report: CustomerReport = {
    customer: about.customer,
    verdict: '',
    blocked: blockedBy.length > 0,
    blockedBy,
    hindrances,
    known: resolved.known,
    sessions: timeline.map(({session}) => session),
    findings,
    cleaned: 0,
    environment: about.environment,
    at: about.at,
    waiting: about.waiting,
    searched: about.searched,
    doubtful,
    notes: doubtful ? [...about.notes, doubtfulNote(about.customer, resolved.known)] : about.notes,
    errors: about.errors,
  };
  return {...report, verdict: verdictOf(report)};
};
