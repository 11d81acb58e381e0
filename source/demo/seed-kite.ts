/** The login service's sessions and accounts in DynamoDB, with the faults its login left behind. */
import {Random} from './random.js';
import {spellMoment, unreadableMoments} from './seed-moments.js';
import {device, type Person, person} from './seed-people.js';
import {day, hour, minute, type SeedPlan, scatter} from './seed-plan.js';

export type Plain = string | number | boolean | Set<string> | Uint8Array | {[name: string]: Plain};
export type KiteItem = {table: 'kite-sessions' | 'kite-accounts'; item: {[name: string]: Plain}};

type Case =
  | 'healthy'
  | 'several'
  | 'several-without-canonical'
  | 'several-with-unreadable'
  | 'tie'
  | 'large-group'
  | 'non-canonical'
  | 'dangling-with-another'
  | 'dangling-alone'
  | 'unreferenced'
  | 'without-account'
  | 'missing-account-id'
  | 'unreadable-time';

/** How many of each there are among the default number of rows. */
const faults: Partial<Record<Case, number>> = {
  several: 14,
  'several-without-canonical': 6,
  'several-with-unreadable': 2,
  tie: 1,
  'non-canonical': 10,
  'dangling-with-another': 5,
  'dangling-alone': 4,
  unreferenced: 5,
  'without-account': 3,
  'missing-account-id': 4,
  'unreadable-time': 4,
};
/** One account that logged in from a script: more sessions than one DynamoDB transaction can hold. */
const largeGroupRows = 118;

const scopes = ['orders:read', 'orders:write', 'portfolio:read', 'profile:read', 'alerts:write'];

export const canonicalKiteId = (accountId: string): string => `sess_${accountId}`;

/** A session as the login service writes it, last used at `usedAt`. */
export const kiteSession = (random: Random, sessionId: string, {accountId, ip}: Person, usedAt: number) => {
  const {model, os, agent} = device(random);
  const item: {[name: string]: Plain} = {
    sessionId,
    accountId,
    createdAt: spellMoment(random, usedAt - random.int(5, 60 * 24 * 20) * minute),
    updatedAt: spellMoment(random, usedAt),
    device: {model, os, appVersion: `4.${random.int(8, 22)}.${random.int(0, 9)}`},
    ip,
    userAgent: agent,
    accessToken: `kat_${random.token(40)}`,
    refreshToken: `krt_${random.token(40)}`,
    scopes: new Set(random.shuffle(scopes).slice(0, random.int(1, 4))),
    requestCount: random.int(1, 4800),
  };
  if (random.chance(0.1)) delete item.updatedAt;
  if (random.chance(0.3)) item.trusted = random.chance(0.8);
  return item;
};

/** An account; how it refers to its session depends on the release that last wrote it. */
export const kiteAccount = (
  random: Random,
  someone: Person,
  sessionId: string | null,
  now: number,
): KiteItem => {
  const item: {[name: string]: Plain} = {
    accountId: someone.accountId,
    name: someone.name,
    email: someone.email,
  };
  if (sessionId !== null)
    item.session = random.chance(0.6)
      ? sessionId
      : {sessionId, since: new Date(now - random.int(1, 60) * day).toISOString()};
  item.plan = random.pick(['basic', 'plus', 'pro']);
  return {table: 'kite-accounts', item};
};

const rowsOf = function* (kind: Case, someone: Person, random: Random, now: number): Generator<KiteItem> {
  const used = () => now - random.int(10, 60 * 24 * 30) * minute;
  const session = (id: string, usedAt = used()): KiteItem => ({
    table: 'kite-sessions',
    item: kiteSession(random, id, someone, usedAt),
  });
  const account = (id: string | null): KiteItem => kiteAccount(random, someone, id, now);
  const canonicalId = canonicalKiteId(someone.accountId);
  const many = (count: number) => Array.from({length: count}, () => session(random.uuid()));
  const idOf = ({item}: KiteItem): string => item.sessionId as string;

  switch (kind) {
    case 'healthy':
      yield* [session(canonicalId), account(canonicalId)];
      return;
    case 'several':
    case 'large-group': {
      const rows = [
        session(canonicalId),
        ...many(kind === 'several' ? random.int(1, 4) : largeGroupRows - 1),
      ];
      yield* random.shuffle(rows);
      yield account(idOf(random.pick(rows)));
      return;
    }
    case 'several-without-canonical': {
      const rows = many(random.int(2, 4));
      yield* rows;
      yield account(idOf(random.pick(rows)));
      return;
    }
    case 'several-with-unreadable': {
      const unreadable = session(canonicalId);
      unreadable.item.updatedAt = random.pick(unreadableMoments);
      yield* [unreadable, ...many(2), account(canonicalId)];
      return;
    }
    case 'tie': {
      // The same moment in two spellings: the canonical row must win, whatever the texts compare like.
      const moment = Math.floor(used() / 1000) * 1000;
      const rows = [session(canonicalId), session(random.uuid())];
      rows[0]!.item.updatedAt = moment / 1000;
      rows[1]!.item.updatedAt = new Date(moment).toISOString();
      yield* [...rows, account(idOf(rows[1]!))];
      return;
    }
    case 'non-canonical': {
      const row = session(random.uuid());
      yield* [row, account(idOf(row))];
      return;
    }
    case 'dangling-with-another':
      yield* [session(canonicalId), account(random.uuid())];
      return;
    case 'dangling-alone':
      yield account(random.chance(0.5) ? canonicalId : random.uuid());
      return;
    case 'unreferenced':
      yield* [session(canonicalId), account(null)];
      return;
    case 'without-account':
      yield session(canonicalId);
      return;
    case 'missing-account-id': {
      const row = session(random.uuid(), now - random.int(30, 400) * hour);
      delete row.item.accountId;
      yield row;
      return;
    }
    case 'unreadable-time': {
      const row = session(canonicalId);
      row.item.updatedAt = random.pick(unreadableMoments);
      yield* [row, account(canonicalId)];
    }
  }
};

/** Every item of the login service, in the order in which it is written; the same for the same plan. */
export const kiteItems = function* ({seed, rows, now}: SeedPlan): Generator<KiteItem> {
  const random = new Random(seed, 'kite');
  const cases = scatter<Case>(random, rows, 'healthy', rows, faults);
  const largeGroups = Math.max(1, Math.round(rows / 20_000));
  for (let left = largeGroups; left > 0; left--) cases.splice(random.int(0, cases.length), 0, 'large-group');
  for (const [number, kind] of cases.entries()) yield* rowsOf(kind, person(seed, number), random, now);
};
