/** Sample findings of the five systems, as their checks would return them. Made up; labelled so on the screen. */
import type {CheckInfo, Finding, FindingRow, Severity} from '../../source/types.js';
import type {Json} from '../../source/values.js';

const reason = (name: string, severity: Severity, text: string, actions: string[]) => ({
  name,
  severity,
  text,
  actions,
});

export const checks: CheckInfo[] = [
  {
    id: 'kite/duplicates',
    store: 'kite',
    storeKind: 'dynamodb',
    kind: 'duplicates',
    name: 'duplicates',
    table: 'kite-sessions',
    columns: ['sessionId', 'accountId', 'updatedAt', 'device'],
    reasons: [
      reason('duplicate', 'warning', 'Several rows for one group.', [
        'keep-latest',
        'keep-canonical',
        'purge',
      ]),
      reason('non-canonical-id', 'warning', 'The row’s id is not the one that its group should have.', [
        'rekey',
        'purge',
      ]),
      reason('missing-group-key', 'warning', 'The row has no accountId.', []),
    ],
    actions: [
      {name: 'keep-latest', text: 'Keeps the latest row of each group and deletes the others.'},
      {
        name: 'keep-canonical',
        text: 'Keeps the row with the canonical id; a group without one is left alone.',
      },
      {name: 'rekey', text: 'Moves the latest row to the canonical id.'},
      {name: 'purge', text: 'Deletes every row.', drastic: true},
    ],
  },
  {
    id: 'chat/null-ids',
    store: 'chat',
    storeKind: 'mongodb',
    kind: 'null-ids',
    name: 'null-ids',
    table: 'conversations',
    columns: ['sessionId', 'title', 'updatedAt'],
    reasons: [
      reason('null-id', 'warning', 'The id is null.', ['assign-ids', 'delete']),
      reason('missing-id', 'warning', 'There is no id.', ['assign-ids', 'delete']),
    ],
    actions: [
      {name: 'assign-ids', text: 'Gives each row a new unique id.'},
      {name: 'delete', text: 'Deletes the rows.'},
    ],
  },
  {
    id: 'gym/device-sessions',
    store: 'gym',
    storeKind: 'postgres',
    kind: 'device-sessions',
    name: 'device-sessions',
    table: 'auth_sessions',
    columns: ['email', 'session_type', 'expires_at', 'protected', 'id'],
    reasons: [reason('expired-device', 'warning', 'A device session that has expired.', ['delete-expired'])],
    actions: [
      {name: 'delete-expired', text: 'Deletes expired, unprotected device sessions.'},
      {name: 'logout', text: 'Deletes the device sessions that were chosen.', byId: true},
    ],
  },
  {
    id: 'registry/duplicates',
    store: 'registry',
    storeKind: 'postgres',
    kind: 'duplicates',
    name: 'duplicates',
    table: 'app_session_keys',
    columns: ['device_key', 'stream_id', 'session_ids'],
    reasons: [
      reason('duplicate', 'warning', 'Several rows for one group.', ['keep-first', 'purge']),
      reason('payload-differs', 'warning', 'Rows that should be copies are not.', ['keep-first', 'purge']),
    ],
    actions: [
      {name: 'keep-first', text: 'Keeps the first row of each group and deletes the others.'},
      {name: 'purge', text: 'Deletes every row.', drastic: true},
    ],
  },
  {
    id: 'rides/stale-sessions',
    store: 'rides',
    storeKind: 'postgres',
    kind: 'stale-sessions',
    name: 'stale-sessions',
    table: 'sessions',
    columns: ['status', 'plan', 'created_at'],
    reasons: [
      reason('very-stale-waiting', 'critical', 'A session that has been waiting for more than 30 min.', [
        'cancel',
      ]),
      reason('stale-waiting', 'warning', 'A session that has been waiting for more than 15 min.', ['cancel']),
      reason('orphaned', 'warning', 'A waiting session without a valid request.', ['cancel']),
      reason('expired-request', 'warning', 'A request that has been pending for more than 15 min.', [
        'cancel',
      ]),
    ],
    actions: [{name: 'cancel', text: 'Sets the status to cancelled; active sessions are never touched.'}],
  },
];

type Values = Record<string, Json>;

const row = (
  table: string,
  key: Values,
  values: Values,
  verdict: FindingRow['verdict'],
  why: string,
): FindingRow => ({
  table,
  identity: {by: 'key', at: key},
  key,
  values: {...key, ...values},
  verdict,
  why,
});

const hex = (number: number): string => (0x9e3779b1 * (number + 1)).toString(16).slice(0, 8).padStart(8, '0');

/** An account with as many sessions as asked for; the latest is the last. */
export const kiteGroup = (number: number, size: number): Finding => {
  const accountId = `acct-${1040 + number}`;
  const rows = Array.from({length: size}, (_, index) => {
    const last = index === size - 1;
    const values = {
      accountId,
      updatedAt: `2026-11-${String(10 + (index % 10)).padStart(2, '0')}T08:15:00Z`,
      device: 'Pixel 9',
    };
    const id = {sessionId: last ? `sess_${accountId}` : `${hex(number * 31 + index)}-77c1-4a52`};
    return row(
      'kite-sessions',
      id,
      values,
      last ? 'keep' : 'delete',
      last ? 'the latest by updatedAt' : 'older than the one that stays',
    );
  });
  return {
    id: `kite:${accountId}`,
    reasons: number % 3 === 0 ? ['duplicate', 'non-canonical-id'] : ['duplicate'],
    severity: 'warning',
    group: accountId,
    ageSeconds: 3600 * (number + 2),
    rows,
    actions: ['keep-latest', 'keep-canonical', 'rekey', 'purge'],
    byHand: false,
  };
};

const nullId = (number: number): Finding => {
  const _id = `66a1f0c2${hex(number)}9d3e4b70`;
  const name = number % 2 === 0 ? 'null-id' : 'missing-id';
  return {
    id: `chat:${_id}`,
    reasons: [name],
    severity: 'warning',
    group: _id,
    ageSeconds: 86_400 * (number + 1),
    rows: [
      row(
        'conversations',
        {_id},
        {sessionId: null, title: 'Trip to Lisbon', updatedAt: '2026-11-19T17:02:11Z'},
        'assign',
        'sessionId is null',
      ),
    ],
    actions: ['assign-ids', 'delete'],
    byHand: false,
  };
};

const registryGroup = (number: number, byHand: boolean): Finding => {
  const device = `dk_${hex(number)}`;
  const make = (id: number, verdict: FindingRow['verdict']): FindingRow =>
    row(
      'app_session_keys',
      {id: String(id)},
      {device_key: device, stream_id: 'stream-7', session_ids: ['S1', 'S2'], message_envelope: '••••'},
      verdict,
      verdict === 'keep' ? 'the first' : 'a copy of the first',
    );
  return {
    id: `registry:${device}`,
    reasons: byHand ? ['duplicate', 'payload-differs'] : ['duplicate'],
    severity: 'warning',
    group: [device, 'stream-7', ['S1', 'S2']],
    ageSeconds: null,
    rows: [make(10 * number + 1, 'keep'), make(10 * number + 2, 'delete')],
    actions: ['keep-first', 'purge'],
    byHand,
  };
};

const stale = (number: number, reasons: string[], minutes: number): Finding => {
  const request = reasons[0] === 'expired-request';
  const id = {id: `${hex(number + 50)}-0b1d-4c7e-9f10`};
  const values = {
    customer_id: `customer-${number}`,
    status: request ? 'pending' : 'waiting',
    plan: 'quick',
    created_at: '2026-11-21T00:58:00Z',
  };
  return {
    id: `rides:${id.id}`,
    reasons,
    severity: reasons[0] === 'very-stale-waiting' ? 'critical' : 'warning',
    group: `customer-${number}`,
    ageSeconds: minutes * 60,
    rows: [
      row(
        request ? 'session_requests' : 'sessions',
        id,
        values,
        'cancel',
        `${values.status} for ${minutes} min`,
      ),
    ],
    actions: ['cancel'],
    byHand: false,
  };
};

/** A session of the gym; expired ones are findings. */
const device = (number: number, type: string, expired: boolean): Finding => {
  const email = `${['ana', 'ben', 'chloe', 'dmitri', 'eve'][number % 5]}@example.com`;
  const values = {
    email,
    session_type: type,
    protected: type === 'background',
    expires_at: expired ? '2026-11-20T22:00:00Z' : '2026-12-01T09:00:00Z',
  };
  const id = {id: `${hex(number + 80)}-41d2`};
  return {
    id: `gym:${id.id}`,
    reasons: expired ? ['expired-device'] : [],
    severity: expired ? 'warning' : 'info',
    group: email,
    ageSeconds: 7200 + number * 60,
    rows: [
      row(
        'auth_sessions',
        id,
        values,
        expired ? 'delete' : 'none',
        expired ? 'expired 3 h 42 min ago' : 'nothing is wrong with it',
      ),
    ],
    actions: expired ? ['delete-expired', 'logout'] : type === 'device' ? ['logout'] : [],
    byHand: !expired,
  };
};

/** The findings of each check (for the gym: every session), `kite` as many groups as asked for. */
export const sampleFindings = (kite = 12): Record<string, Finding[]> => ({
  'kite/duplicates': Array.from({length: kite}, (_, number) => kiteGroup(number, 2 + (number % 3))),
  'chat/null-ids': Array.from({length: 5}, (_, number) => nullId(number)),
  'gym/device-sessions': Array.from({length: 8}, (_, number) =>
    device(number, number % 3 === 0 ? 'background' : 'device', number % 4 === 1),
  ),
  'registry/duplicates': Array.from({length: 4}, (_, number) => registryGroup(number, number === 3)),
  'rides/stale-sessions': [
    stale(7, ['very-stale-waiting', 'orphaned'], 42),
    stale(12, ['very-stale-waiting'], 35),
    stale(3, ['stale-waiting'], 18),
    stale(21, ['expired-request'], 22),
  ],
});
