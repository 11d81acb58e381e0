/** A customer as the engine tells of it: blocked in rides, a login that is fine, kite down. Sample data. */
import type {Blocking, CustomerReport, CustomerSession} from '../../source/ui/customer.js';

export const rideId = 'c3540f6e-1c7d-4b5a-9a35-0b7f2a9d4e11';

const ride: CustomerSession = {
  store: 'rides',
  check: 'rides/stale-sessions',
  table: 'sessions',
  key: {id: rideId},
  values: {},
  status: 'waiting',
  at: '2026-11-21T01:00:10.000Z',
  ageSeconds: 2520,
  wrong: ['very-stale-waiting', 'orphaned'],
  blocks: true,
};

const login: CustomerSession = {
  store: 'gym',
  check: 'gym/device-sessions',
  table: 'auth_sessions',
  key: {id: 'd-11'},
  values: {},
  status: 'background',
  at: '2026-11-18T09:30:00.000Z',
  ageSeconds: 231_130,
  wrong: [],
  blocks: false,
};

const lost: CustomerSession = {
  store: 'chat',
  check: 'chat/null-ids',
  table: 'conversations',
  key: {_id: '6730c0ffee'},
  values: {},
  status: null,
  at: null,
  ageSeconds: null,
  wrong: ['null-id'],
  blocks: false,
};

const blocking: Blocking = {
  store: 'rides',
  check: 'rides/stale-sessions',
  table: 'sessions',
  id: rideId,
  what: 'session',
  status: 'waiting',
  ageSeconds: 2520,
  stale: true,
  wrong: ride.wrong,
  finding: 'rides customer-7',
};

const base: CustomerReport = {
  customer: 'customer-7',
  environment: 'staging',
  at: '2026-11-21T01:42:10.000Z',
  verdict: '',
  known: [],
  blocked: false,
  blockedBy: [],
  hindrances: [],
  sessions: [],
  findings: [],
  cleaned: 0,
  doubtful: false,
  waiting: [],
  searched: ['rides: sessions (id, customer_id)', 'gym: auth_sessions (id, email)'],
  notes: [],
  errors: [],
};

export const nothingYet: CustomerReport = {
  ...base,
  verdict: '',
  waiting: ['kite', 'chat', 'gym', 'registry', 'rides'],
};

export const nobody: CustomerReport = {
  ...base,
  customer: 'nobody',
  verdict: 'nothing is known of it in any store',
};

export const blockedReport: CustomerReport = {
  ...base,
  verdict: `blocked by session ${rideId} in rides: waiting for 42 minutes, no request; cancelling it unblocks; kite/duplicates could not be asked`,
  known: ['ana@example.com'],
  blocked: true,
  blockedBy: [blocking],
  sessions: [ride, login, lost],
  errors: [
    {
      check: 'kite/duplicates',
      error: {
        code: 'unreachable',
        message: 'kite could not be reached',
        hint: 'Is it running, and is its address right?',
      },
    },
  ],
};

/** Only rides and gym have answered. */
export const partReport: CustomerReport = {
  ...blockedReport,
  sessions: [ride, login],
  errors: [],
  waiting: ['kite', 'chat'],
};

export const freeReport: CustomerReport = {
  ...blockedReport,
  verdict:
    'not blocked, as far as is known (3 sessions in rides, gym and chat); kite/duplicates could not be asked',
  blocked: false,
  blockedBy: [],
  sessions: [{...ride, status: 'cancelled', blocks: false, wrong: []}, login, lost],
};
