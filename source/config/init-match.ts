/** Recognises the tables that the four checks are about, by their names and columns, for `sesstui init`. */
import {fill} from '../evaluate.js';
import type {TableFacts} from './init-look.js';
import {deviceSessionsSchema, staleSessionsSchema} from './schema.js';

/** A check as it goes into the file; `why` is the comment above it. */
export type Suggestion = {tables: string[]; why: string; check: Record<string, unknown>};

const squeeze = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
const baseName = (table: string): string => squeeze(table.slice(table.lastIndexOf('.') + 1));
const schemaName = (table: string): string => table.slice(0, table.lastIndexOf('.') + 1);

/** The column that is one of the names, whatever its case and separators. */
const pick = (facts: TableFacts, ...names: string[]): string | undefined => {
  for (const name of names) {
    const column = facts.columns.find(item => squeeze(item) === squeeze(name));
    if (column !== undefined) return column;
  }
  return undefined;
};

/** Keys whose column is there under another name than the default; and the defaults that are not there at all. */
const renamed = (facts: TableFacts, defaults: Record<string, string>, aliases: Record<string, string[]>) => {
  const changed: Record<string, string> = {};
  const absent: string[] = [];
  for (const [key, usual] of Object.entries(defaults)) {
    const column = pick(facts, usual, ...(aliases[key] ?? []));
    if (column === undefined) absent.push(usual);
    else if (column !== usual) changed[key] = column;
  }
  return {changed, absent};
};

const isEmpty = (map: object): boolean => Object.keys(map).length === 0;

const stale = (sessions: TableFacts, all: TableFacts[]): Suggestion | null => {
  const wanted = `${baseName(sessions.table).replace(/s$/, '')}requests`;
  const requests = all.find(
    other => baseName(other.table) === wanted && schemaName(other.table) === schemaName(sessions.table),
  );
  if (!requests || !baseName(sessions.table).endsWith('sessions')) return null;
  const usual = staleSessionsSchema.parse({check: 'stale-sessions'});
  const aliases = {customer: ['customer', 'user_id', 'account_id', 'rider_id'], status: ['state']};
  const part = (facts: TableFacts, {table, session, ...columns}: Record<string, string | null>) => {
    const {changed, absent} = renamed(facts, columns as Record<string, string>, aliases);
    const own = session == null ? undefined : pick(facts, session, 'session');
    const sessionColumn = session === undefined || own === session ? {} : {session: own ?? null};
    const map = {...(facts.table === table ? {} : {table: facts.table}), ...sessionColumn, ...changed};
    return {map, absent};
  };
  const here = part(sessions, usual.sessions);
  const there = part(requests, usual.requests);
  // In a store without a schema a table may be empty, and then shows no columns.
  const absent = [
    ...(sessions.columns.length > 0 ? here.absent : []),
    ...(requests.columns.length > 0 ? there.absent : []),
  ];
  if (absent.includes(usual.sessions.status) || absent.includes(usual.sessions.customer)) return null;
  if (requests.columns.length === 0) delete (there.map as {session?: unknown}).session;
  return {
    tables: [sessions.table, requests.table],
    why: withAbsent('Sessions that nobody waits for any more, and requests that expired', absent),
    check: {
      check: 'stale-sessions',
      ...(isEmpty(here.map) ? {} : {sessions: here.map}),
      ...(isEmpty(there.map) ? {} : {requests: there.map}),
    },
  };
};

const withAbsent = (why: string, absent: string[]): string =>
  absent.length === 0 ? why : `${why}. No column was found for: ${[...new Set(absent)].join(', ')}`;

const devices = (facts: TableFacts): Suggestion | null => {
  const named = /^(?:auth|device|login)sessions?$/.test(baseName(facts.table));
  const typed =
    pick(facts, 'email', 'user_email') &&
    pick(facts, 'session_type', 'type') &&
    pick(facts, 'expires_at', 'expires');
  if (!typed && !(named && (facts.columns.length === 0 || pick(facts, 'email', 'user_email')))) return null;
  const usual = deviceSessionsSchema.parse({check: 'device-sessions', table: facts.table});
  const aliases = {
    email: ['user_email'],
    type: ['type'],
    protected: ['is_protected'],
    expiresAt: ['expires', 'expiry'],
  };
  const {changed, absent} = renamed(facts, usual.columns, aliases);
  return {
    tables: [facts.table],
    why: withAbsent(
      'One background session an email, device sessions that expire',
      facts.columns.length > 0 ? absent : [],
    ),
    check: {check: 'device-sessions', table: facts.table, ...(isEmpty(changed) ? {} : {columns: changed})},
  };
};

const sessionKeys = (facts: TableFacts): Suggestion | null => {
  const device = pick(facts, 'device_key');
  const stream = pick(facts, 'stream_id');
  const sessions = pick(facts, 'session_ids');
  if (!device || !stream || !sessions) return null;
  const payload = pick(facts, 'message_envelope', 'envelope');
  return {
    tables: [facts.table],
    why: 'The same keys published twice, in whatever order their sessions are',
    check: {
      check: 'duplicates',
      table: facts.table,
      groupBy: [device, stream, sessions],
      unordered: [sessions],
      ...(payload ? {payload: [payload]} : {}),
      keep: 'first',
    },
  };
};

const accountSessions = (facts: TableFacts, all: TableFacts[]): Suggestion | null => {
  const account = pick(facts, 'accountId');
  if (!account || !/sessions?$/.test(baseName(facts.table)) || facts.key.join() === account) return null;
  const latestBy = ['updatedAt', 'createdAt'].flatMap(name => pick(facts, name) ?? []);
  const wanted = baseName(facts.table).replace(/sessions?$/, 'accounts');
  const accounts = all.find(
    other => baseName(other.table) === wanted || baseName(other.table) === wanted.slice(0, -1),
  );
  const template = `sess_{${account}}`;
  const id = facts.key[0];
  const canonical = id !== undefined && facts.samples.some(row => row[id] === fill(template, row));
  return {
    tables: [facts.table, ...(accounts ? [accounts.table] : [])],
    why: 'More than one session for an account',
    check: {
      check: 'duplicates',
      table: facts.table,
      groupBy: [account],
      ...(latestBy.length > 0 ? {latestBy} : {}),
      ...(canonical ? {canonicalId: template} : {}),
      ...(accounts ? {referencedBy: reference(accounts, account)} : {}),
    },
  };
};

const reference = (accounts: TableFacts, account: string) => ({
  table: accounts.table,
  key: accounts.key[0] ?? account,
  attribute: pick(accounts, 'session', 'sessionId', 'currentSession') ?? 'session',
});

const conversations = (facts: TableFacts): Suggestion | null => {
  if (!/(?:conversations?|chats?)$/.test(baseName(facts.table))) return null;
  const id = pick(facts, 'sessionId');
  const touch = pick(facts, 'updatedAt');
  // Where there is a schema, a table without the column is another kind of conversation.
  if (!id && facts.samples.length === 0 && facts.columns.length > facts.key.length) return null;
  return {
    tables: [facts.table],
    why: 'Conversations without a session id',
    check: {
      check: 'null-ids',
      table: facts.table,
      ...(id === 'sessionId' ? {} : id ? {id} : {}),
      ...(touch ? {touch} : {}),
    },
  };
};

/** Something about sessions that no rule knows: a start, for the user to correct. */
const other = (facts: TableFacts): Suggestion | null => {
  if (!/session|login|conversation/.test(baseName(facts.table))) return null;
  const groupBy = [
    pick(facts, 'customer_id', 'user_id', 'account_id', 'email', 'device_key', 'owner_id') ??
      'CUSTOMER_COLUMN',
    ...facts.arrays,
  ];
  const latest = pick(facts, 'updated_at', 'created_at');
  return {
    tables: [facts.table],
    why: 'Not recognised; if its rows should be unique in some columns:',
    check: {
      check: 'duplicates',
      table: facts.table,
      groupBy,
      ...(latest ? {latestBy: [latest]} : {}),
      ...(facts.arrays.length > 0 ? {unordered: facts.arrays} : {}),
    },
  };
};

/** What to put into the file for these tables: checks that fit, and guesses that are only worth a comment. */
export const matchTables = (all: TableFacts[]): {checks: Suggestion[]; guesses: Suggestion[]} => {
  const checks: Suggestion[] = [];
  const taken = new Set<string>();
  const rules = [stale, devices, sessionKeys, accountSessions, conversations];
  for (const rule of rules)
    for (const facts of all) {
      if (taken.has(facts.table)) continue;
      const suggestion = rule(facts, all);
      if (!suggestion) continue;
      checks.push(suggestion);
      for (const table of suggestion.tables) taken.add(table);
    }
  const guesses = all.filter(({table}) => !taken.has(table)).flatMap(facts => other(facts) ?? []);
  return {checks, guesses};
};
