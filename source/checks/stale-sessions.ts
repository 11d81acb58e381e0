/**
 * Waiting sessions that nobody will ever take, and requests that nobody answered: they block their customer from
 * buying. Ages count from createdAt (updatedAt where it is NULL) on the store's clock; a session without a
 * readable, finite, past moment is never old enough to clean (contract: Configuration).
 */
import {parseDuration} from '../config/duration.js';
import type {StaleSessionsConfig} from '../config/schema.js';
import type {Change, Row, Unit} from '../connector.js';
import {exprValue, valueAt} from '../evaluate.js';
import type {Expr, Pred} from '../forms.js';
import type {ActionMeta, ReasonMeta} from '../types.js';
import {isAbsent, type Scalar, toText, type Value} from '../values.js';
import {
  ageOfMoment,
  type Check,
  customerColumns,
  guessedEmails,
  type Identities,
  type Judged,
  momentOf,
  type Part,
  type Task,
} from './check.js';
import {staleSessionsGuards} from './stale-sessions-guards.js';

type Config = StaleSessionsConfig;
type Columns = Config['sessions'];

const reasons: ReasonMeta[] = [
  {
    name: 'very-stale-waiting',
    severity: 'critical',
    text: 'A session has been waiting for longer than veryStaleAfter.',
    actions: ['cancel'],
  },
  {
    name: 'stale-waiting',
    severity: 'warning',
    text: 'A session has been waiting for longer than waitingAfter.',
    actions: ['cancel'],
  },
  {
    name: 'orphaned',
    severity: 'warning',
    text: 'A waiting session older than orphanedAfter has no pending or accepted request.',
    actions: ['cancel'],
  },
  {
    name: 'expired-request',
    severity: 'warning',
    text: 'A request has been pending for longer than requestAfter.',
    actions: ['cancel'],
  },
  {
    name: 'unknown-age',
    severity: 'info',
    text: 'A waiting session or pending request whose age is not known; never cleaned.',
    actions: [],
  },
];

const ageOf = (config: Config, columns: Columns): Expr => ({
  instant: [columns.createdAt, columns.updatedAt],
  zone: config.timeZone,
});

const isWaiting = (config: Config): Pred => ({
  in: config.statuses.waiting,
  of: {attr: config.sessions.status},
});

const unknownAge = (age: Expr): Pred => ({any: [{no: {is: 'finite', of: age}}, {future: age}]});

/** Some request keeps the session alive. Without a session column a request belongs to its customer's sessions. */
const hasRequest = ({sessions, requests, statuses}: Config): Pred => ({
  partner: {
    table: requests.table,
    on: [
      requests.session === null
        ? [{attr: sessions.customer}, {attr: requests.customer}]
        : [{attr: sessions.id}, {attr: requests.session}],
    ],
    where: {in: statuses.valid, of: {attr: requests.status}},
  },
});

/** The conditions of the sessions' reasons; also what has to hold still when a change is made. */
const sessionTags = (config: Config): Record<string, Pred> => {
  const age = ageOf(config, config.sessions);
  const veryStale: Pred = {older: parseDuration(config.veryStaleAfter), of: age};
  return {
    'very-stale-waiting': veryStale,
    'stale-waiting': {all: [{older: parseDuration(config.waitingAfter), of: age}, {no: veryStale}]},
    orphaned: {all: [{older: parseDuration(config.orphanedAfter), of: age}, {no: hasRequest(config)}]},
    'unknown-age': unknownAge(age),
  };
};

const requestTags = (config: Config): Record<string, Pred> => {
  const age = ageOf(config, config.requests);
  return {
    'expired-request': {older: parseDuration(config.requestAfter), of: age},
    'unknown-age': unknownAge(age),
  };
};

const shown = (columns: Columns & {session?: string | null}): string[] => [
  columns.id,
  columns.customer,
  ...(columns.session ? [columns.session] : []),
  columns.status,
  columns.createdAt,
  columns.updatedAt,
];

const limits = (config: Config): Record<string, string> => ({
  'very-stale-waiting': `over ${config.veryStaleAfter}`,
  'stale-waiting': `over ${config.waitingAfter}`,
  orphaned: `no ${config.statuses.valid.join(' or ')} request after ${config.orphanedAfter}`,
  'expired-request': `over ${config.requestAfter}`,
  'unknown-age': 'no finite moment in the past to count from',
});

const judge =
  (config: Config, columns: Columns) =>
  (found: {rows: Row[]}, now: number): Judged => {
    const row = found.rows[0]!;
    const micros = exprValue(ageOf(config, columns), row.values);
    const since = typeof micros === 'number' && Number.isFinite(micros) && micros <= now ? micros : null;
    const texts = limits(config);
    const status = toText(valueAt(row.values, columns.status));
    const cleanable = row.tags.some(tag => tag !== 'unknown-age');
    const evidence = row.tags
      .map(tag => texts[tag])
      .filter(Boolean)
      .join('; ');
    return {
      reasons: row.tags,
      group: [valueAt(row.values, columns.customer)],
      since,
      rows: [
        {
          row,
          verdict: cleanable ? 'cancel' : 'none',
          why:
            since === null
              ? `${status}: ${evidence}`
              : `${status} for ${ageOfMoment(since, now)}: ${evidence}`,
        },
      ],
    };
  };

const parts = (config: Config): Part[] => {
  const {sessions, requests, statuses} = config;
  const [ofSessions, ofRequests] = [sessionTags(config), requestTags(config)];
  return [
    {
      name: 'sessions',
      group: [{attr: sessions.customer}],
      form: {
        form: 'rows',
        from: sessions.table,
        where: {all: [isWaiting(config), {any: Object.values(ofSessions)}]},
        show: shown(sessions),
        tags: ofSessions,
        order: ageOf(config, sessions),
      },
      judge: judge(config, sessions),
    },
    {
      name: 'requests',
      group: [{attr: requests.customer}],
      form: {
        form: 'rows',
        from: requests.table,
        where: {all: [{in: statuses.pending, of: {attr: requests.status}}, {any: Object.values(ofRequests)}]},
        show: shown(requests),
        tags: ofRequests,
        order: ageOf(config, requests),
      },
      judge: judge(config, requests),
    },
  ];
};

const cancel = (config: Config, row: Row, columns: Columns, still: Pred): Change => ({
  op: 'update',
  table: columns.table,
  identity: row.identity,
  version: row.version!,
  image: row.image!,
  set: {
    [columns.status]: {value: config.statuses.cancelled},
    [columns.updatedAt]: {now: true, zone: config.timeZone},
  },
  still,
});

const scalar = (value: Value): value is Scalar =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** The waiting sessions that expired requests take with them, by the value that links them. */
const linkedSessions = async (
  config: Config,
  tasks: Task[],
  lookup: Parameters<Check<Config>['plan']>[2]['lookup'],
) => {
  const {sessions, requests} = config;
  const [here, there] =
    requests.session === null ? [requests.customer, sessions.customer] : [requests.session, sessions.id];
  const links = tasks
    .filter(task => task.part.name === 'requests')
    .map(task => valueAt(task.found.rows[0]!.values, here))
    .map(value => (scalar(value) ? value : isAbsent(value) ? null : toText(value)))
    .filter(value => value !== null);
  const still: Pred =
    requests.session === null
      ? {all: [isWaiting(config), {older: parseDuration(config.requestAfter), of: ageOf(config, sessions)}]}
      : isWaiting(config);
  const rows =
    links.length === 0
      ? []
      : await lookup(sessions.table, there, [...new Set(links)], shown(sessions), still);
  return (request: Row): Change[] =>
    rows
      .filter(row => {
        const link = valueAt(request.values, here);
        return !isAbsent(link) && toText(valueAt(row.values, there)) === toText(link);
      })
      .map(row => cancel(config, row, sessions, still));
};

const actions: ActionMeta[] = [
  {
    name: 'cancel',
    text: 'Sets the status to cancelled and updatedAt to now; an expired request takes its waiting session along. Active sessions are never touched.',
  },
];

export const staleSessions: Check<Config> = {
  kind: 'stale-sessions',
  text: 'Sessions that wait forever, sessions without a request, and requests that nobody answered.',
  healthy: config => `No waiting session is older than ${config.waitingAfter}, and no request is unanswered.`,
  reasons,
  actions,
  table: config => config.sessions.table,
  columns: config => [
    config.sessions.customer,
    config.sessions.status,
    config.sessions.id,
    config.sessions.createdAt,
  ],
  needs: ({sessions, requests}) => [
    {table: sessions.table, columns: shown(sessions)},
    {table: requests.table, columns: shown(requests)},
  ],
  parts,
  offered: () => actions,
  async *plan(_action, tasks, {config, lookup}): AsyncIterable<Unit> {
    const linked = await linkedSessions(config, tasks, lookup);
    const tags = {sessions: sessionTags(config), requests: requestTags(config)};
    for (const {part, found, reasons: dealt} of tasks) {
      const row = found.rows[0]!;
      const isRequest = part.name === 'requests';
      const columns = isRequest ? config.requests : config.sessions;
      const statuses = isRequest ? config.statuses.pending : config.statuses.waiting;
      const conditions = dealt
        .map(reason => tags[isRequest ? 'requests' : 'sessions'][reason]!)
        .filter(Boolean);
      const still: Pred = {all: [{in: statuses, of: {attr: columns.status}}, {any: conditions}]};
      yield {group: null, changes: [cancel(config, row, columns, still), ...(isRequest ? linked(row) : [])]};
    }
  },
  guards: config =>
    staleSessionsGuards(config, {
      all: [
        isWaiting(config),
        {older: parseDuration(config.waitingAfter), of: ageOf(config, config.sessions)},
      ],
    }),
  identities: ({sessions, requests, statuses}, shapes) =>
    [sessions, requests].map((columns): Identities => {
      const open = columns === sessions ? [...statuses.waiting, ...statuses.active] : statuses.pending;
      return {
        table: columns.table,
        sessions: true,
        where: [
          ...customerColumns(columns.customer),
          {of: {attr: columns.id}, names: 'row'},
          ...('session' in columns && columns.session
            ? [{of: {attr: columns.session as string}, names: 'link' as const}]
            : []),
          ...guessedEmails(shapes[columns.table]),
        ],
        // What blocks comes first: it must be seen even where there are more rows than are read.
        form: match => ({
          form: 'rows',
          from: columns.table,
          where: match,
          show: shown(columns),
          tags: {open: {in: open, of: {attr: columns.status}}},
        }),
      };
    }),
  since: (config, row) => {
    const {createdAt, updatedAt} = row.table === config.requests.table ? config.requests : config.sessions;
    return momentOf(row, [createdAt, updatedAt], config.timeZone);
  },
  customerOf: ({sessions, requests}, row) =>
    valueAt(row.values, (row.table === requests.table ? requests : sessions).customer),
  statusOf: ({sessions, requests}, row) =>
    toText(exprValue({attr: (row.table === requests.table ? requests : sessions).status}, row.values)) ||
    null,
  blocks: (config, row, now) => {
    const {sessions, requests, statuses} = config;
    const isRequest = row.table === requests.table;
    const columns = isRequest ? requests : sessions;
    const status = toText(valueAt(row.values, columns.status));
    const blocking = isRequest ? statuses.pending : [...statuses.waiting, ...statuses.active];
    if (!blocking.includes(status)) return null;
    const micros = exprValue(ageOf(config, columns), row.values);
    const since = typeof micros === 'number' && Number.isFinite(micros) && micros <= now ? micros : null;
    const limit = parseDuration(isRequest ? config.requestAfter : config.waitingAfter) * 1000;
    const canGoStale = isRequest || statuses.waiting.includes(status);
    return {
      id: valueAt(row.values, columns.id),
      what: isRequest ? 'request' : 'session',
      status,
      since,
      stale: canGoStale && since !== null && now - since > limit,
    };
  },
  blocked: config => ({
    form: 'groups',
    from: config.sessions.table,
    where: {
      all: [
        isWaiting(config),
        {older: parseDuration(config.waitingAfter), of: ageOf(config, config.sessions)},
      ],
    },
    key: [{attr: config.sessions.customer}],
    having: {blocked: [{min: 1}]},
    show: [],
    tags: {},
  }),
  tallies: ({sessions, requests}) => ({
    sessions: {form: 'tally', from: sessions.table, by: {attr: sessions.status}},
    requests: {form: 'tally', from: requests.table, by: {attr: requests.status}},
  }),
};

export {ageOf, isWaiting, sessionTags};
