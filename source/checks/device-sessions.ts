/**
 * Background sessions (one an email, protected, with a fingerprint that follows from the email) and device
 * sessions (many an email, thrown away when they expire). Emails compare trimmed and lower-cased as JavaScript
 * does. A type or protection that is not known counts as protected.
 */
import type {DeviceSessionsConfig} from '../config/schema.js';
import type {Change, KeepRule, NewValue, Row, Unit} from '../connector.js';
import {digest, exprValue, normalise, valueAt} from '../evaluate.js';
import type {Expr, Pred} from '../forms.js';
import type {ActionMeta, ReasonMeta} from '../types.js';
import {toText} from '../values.js';
import {ageOfMoment, type Check, type Judged, momentOf, type Part, type Task} from './check.js';
import {deviceSessionsGuards} from './device-sessions-guards.js';
import {decideKeeper} from './keeper.js';

type Config = DeviceSessionsConfig;

const reasons: ReasonMeta[] = [
  {
    name: 'duplicate-background',
    severity: 'critical',
    text: 'An email has several background sessions.',
    actions: ['keep-latest-background'],
  },
  {
    name: 'expired-device',
    severity: 'warning',
    text: 'An unprotected device session is past its expiry.',
    actions: ['delete-expired', 'logout'],
  },
  {
    name: 'unprotected-background',
    severity: 'warning',
    text: 'A background session is not protected.',
    actions: ['protect'],
  },
  {
    name: 'wrong-fingerprint',
    severity: 'warning',
    text: "A background session's fingerprint does not follow from its email and the salt.",
    actions: ['fix-fingerprint'],
  },
  {
    name: 'missing-background',
    severity: 'info',
    text: 'An email has device sessions and no background session.',
    actions: [],
  },
];

export const isType = (config: Config, type: string): Pred => ({in: [type], of: {attr: config.columns.type}});
export const emailOf = (config: Config): Expr => ({norm: config.columns.email});
const hasEmail = (config: Config): Pred => ({
  all: [{is: 'string', of: {attr: config.columns.email}}, {no: {is: 'empty', of: emailOf(config)}}],
});
const isUnprotected = (config: Config): Pred => ({no: {in: [true], of: {attr: config.columns.protected}}});
/** Known to be unprotected: NULL and everything else that is not false counts as protected. */
const knownUnprotected = (config: Config): Pred => ({in: [false], of: {attr: config.columns.protected}});
const isExpired = (config: Config): Pred => ({
  older: 0,
  of: {instant: [config.columns.expiresAt], zone: config.timeZone},
});

const wrongFingerprint = ({columns, fingerprint: {salt, prefix, length}}: Config): Record<string, Pred> =>
  salt
    ? {
        'wrong-fingerprint': {
          no: {same: [{attr: columns.fingerprint}, {digest: columns.email, salt, prefix, length}]},
        },
      }
    : {};

const expiredDevice = (config: Config): Pred => ({
  all: [isType(config, 'device'), knownUnprotected(config), isExpired(config)],
});

const show = ({columns}: Config): string[] => [
  columns.id,
  columns.email,
  columns.type,
  columns.protected,
  columns.fingerprint,
  columns.expiresAt,
  columns.updatedAt,
  columns.createdAt,
];

export const keepLatest = (config: Config): KeepRule => ({
  by: 'latest',
  latestBy: [config.columns.updatedAt, config.columns.createdAt],
  canonicalId: null,
  idAttribute: null,
  zone: config.timeZone,
});

const sinceOf = (config: Config, row: Row): number | null =>
  momentOf(row, [config.columns.createdAt, config.columns.updatedAt], config.timeZone);

const normalEmail = (config: Config, row: Row) => {
  const email = valueAt(row.values, config.columns.email);
  return typeof email === 'string' ? normalise(email) : email;
};

const judgeBackground =
  (config: Config) =>
  (found: {rows: Row[]; having: string[]}): Judged => {
    const several = found.rows.length > 1;
    const keeper = decideKeeper(keepLatest(config), found.rows);
    const texts: Record<string, string> = {
      'unprotected-background': 'not protected',
      'wrong-fingerprint': 'its fingerprint does not follow from its email',
    };
    return {
      reasons: found.having,
      group: [normalEmail(config, found.rows[0]!)],
      since: sinceOf(config, found.rows[keeper]!),
      keeper: several ? keeper : undefined,
      rows: found.rows.map((row, index) => {
        const faults = row.tags
          .map(tag => texts[tag])
          .filter(Boolean)
          .join('; ');
        if (!several) return {row, verdict: 'update', why: faults};
        const place = index === keeper ? 'the latest of' : 'older than the latest of';
        const why = `${place} ${found.rows.length} background sessions${faults ? `; ${faults}` : ''}`;
        return {row, verdict: index === keeper ? (faults ? 'update' : 'keep') : 'delete', why};
      }),
    };
  };

const judgeDevice =
  (config: Config) =>
  (found: {rows: Row[]}, now: number): Judged => {
    const row = found.rows[0]!;
    const expires = exprValue({instant: [config.columns.expiresAt], zone: config.timeZone}, row.values);
    const expired = row.tags.includes('expired-device');
    return {
      reasons: row.tags,
      group: [normalEmail(config, row)],
      since: sinceOf(config, row),
      rows: [
        {
          row,
          verdict: expired ? 'delete' : 'none',
          why:
            expired && typeof expires === 'number'
              ? `device session, unprotected, expired ${ageOfMoment(expires, now)} ago`
              : 'healthy',
        },
      ],
    };
  };

const parts = (config: Config): Part[] => {
  const background = {'unprotected-background': isUnprotected(config), ...wrongFingerprint(config)};
  const group = [emailOf(config)];
  const from = config.table;
  return [
    {
      name: 'background',
      group,
      form: {
        form: 'groups',
        from,
        where: {all: [isType(config, 'background'), hasEmail(config)]},
        key: group,
        having: {
          'duplicate-background': [{min: 2}],
          ...Object.fromEntries(Object.entries(background).map(([name, of]) => [name, [{of, min: 1}]])),
        },
        show: show(config),
        tags: background,
      },
      judge: judgeBackground(config),
    },
    {
      name: 'devices',
      group,
      form: {
        form: 'rows',
        from,
        where: expiredDevice(config),
        show: show(config),
        tags: {'expired-device': expiredDevice(config)},
        order: {instant: [config.columns.expiresAt], zone: config.timeZone},
      },
      judge: judgeDevice(config),
    },
    {
      name: 'without-background',
      group,
      form: {
        form: 'groups',
        from,
        where: {all: [{in: ['background', 'device'], of: {attr: config.columns.type}}, hasEmail(config)]},
        key: group,
        having: {
          'missing-background': [
            {of: isType(config, 'background'), max: 0},
            {of: isType(config, 'device'), min: 1},
          ],
        },
        show: show(config),
        tags: {},
      },
      judge: found => ({
        reasons: found.having,
        group: [normalEmail(config, found.rows[0]!)],
        since: null,
        rows: found.rows.map(row => ({
          row,
          verdict: 'none',
          why: 'a device session of an email that has no background session',
        })),
      }),
    },
  ];
};

/** Every session, told with what is wrong with it alone (what is wrong between rows is the findings' to tell). */
const sessions = (config: Config): Part => ({
  name: 'sessions',
  group: [emailOf(config)],
  form: {
    form: 'rows',
    from: config.table,
    where: {all: []},
    show: show(config),
    tags: {
      'expired-device': expiredDevice(config),
      'unprotected-background': {all: [isType(config, 'background'), isUnprotected(config)]},
      ...Object.fromEntries(
        Object.entries(wrongFingerprint(config)).map(([name, of]) => [
          name,
          {all: [isType(config, 'background'), of]},
        ]),
      ),
    },
    order: {instant: [config.columns.expiresAt], zone: config.timeZone},
  },
  judge: judgeDevice(config),
});

/** What a background session should have and doesn't: protection, and the fingerprint of its email. */
const corrections = (
  config: Config,
  row: Row,
  wanted: ('protect' | 'fix-fingerprint')[],
): Record<string, NewValue> => {
  const {columns, fingerprint} = config;
  const set: Record<string, NewValue> = {};
  if (wanted.includes('protect') && valueAt(row.values, columns.protected) !== true)
    set[columns.protected] = {value: true};
  const email = valueAt(row.values, columns.email);
  if (wanted.includes('fix-fingerprint') && fingerprint.salt && typeof email === 'string') {
    const right = digest(email, fingerprint.salt, fingerprint.prefix, fingerprint.length);
    if (toText(valueAt(row.values, columns.fingerprint)) !== right) set[columns.fingerprint] = {value: right};
  }
  return set;
};

const existing = (config: Config, row: Row) => ({
  table: config.table,
  identity: row.identity,
  version: row.version!,
  image: row.image!,
});

const update = (config: Config, row: Row, set: Record<string, NewValue>): Change[] =>
  Object.keys(set).length === 0 ? [] : [{...existing(config, row), op: 'update', set}];

const keepLatestUnit = (config: Config, {found, keeper: chosen}: Task): Unit => {
  const rule: KeepRule = chosen ? {by: 'identity', identity: chosen} : keepLatest(config);
  const keeper = decideKeeper(rule, found.rows);
  return {
    group: {
      table: config.table,
      where: {all: [isType(config, 'background'), {in: [toText(found.key![0])], of: emailOf(config)}]},
      keep: rule,
      keeper: found.rows[keeper]?.identity ?? null,
    },
    changes: found.rows.flatMap((row, index): Change[] =>
      index === keeper
        ? update(config, row, corrections(config, row, ['protect', 'fix-fingerprint']))
        : [{...existing(config, row), op: 'delete', still: isType(config, 'background')}],
    ),
  };
};

const deleteDevice = (config: Config, row: Row, still: Pred): Change => {
  const open =
    valueAt(row.values, config.columns.type) === 'device' &&
    valueAt(row.values, config.columns.protected) === false;
  return {...existing(config, row), op: 'delete', still, ...(open ? {} : {skip: 'protected'})};
};

const planTask = (action: string, config: Config, task: Task): Unit => {
  const {found} = task;
  if (action === 'keep-latest-background') return keepLatestUnit(config, task);
  if (action === 'delete-expired')
    return {group: null, changes: [deleteDevice(config, found.rows[0]!, expiredDevice(config))]};
  if (action === 'logout') {
    const still: Pred = {all: [isType(config, 'device'), knownUnprotected(config)]};
    return {group: null, changes: [deleteDevice(config, found.rows[0]!, still)]};
  }
  const wanted = action === 'protect' ? 'protect' : 'fix-fingerprint';
  return {
    group: null,
    changes: found.rows.flatMap(row => update(config, row, corrections(config, row, [wanted]))),
  };
};

const actions: ActionMeta[] = [
  {
    name: 'keep-latest-background',
    text: 'Keeps the latest background session of an email, with the right fingerprint and protection, and deletes the others.',
  },
  {
    name: 'delete-expired',
    text: 'Deletes device sessions that are past their expiry and known to be unprotected.',
  },
  {name: 'protect', text: 'Sets the protection of a background session.'},
  {
    name: 'fix-fingerprint',
    text: "Sets a background session's fingerprint to what follows from its email and the salt.",
  },
  {
    name: 'logout',
    text: 'Deletes the device sessions that were chosen, healthy ones too; never a background or protected one.',
    byId: true,
  },
];

export const deviceSessions: Check<Config> = {
  kind: 'device-sessions',
  text: 'Background sessions that are doubled, unprotected or have the wrong fingerprint; expired device sessions.',
  healthy: () =>
    'Every email has one protected background session, and no device session is past its expiry.',
  reasons,
  actions,
  table: config => config.table,
  columns: ({columns}) => [columns.email, columns.type, columns.expiresAt, columns.protected, columns.id],
  needs: config => [{table: config.table, columns: show(config)}],
  parts,
  sessions,
  offered: () => actions,
  async *plan(action, tasks, {config}): AsyncIterable<Unit> {
    for (const task of tasks) {
      const unit = planTask(action, config, task);
      if (unit.changes.length > 0) yield unit;
    }
  },
  customerOf: normalEmail,
  guards: deviceSessionsGuards,
  identities: config => [
    {
      table: config.table,
      sessions: true,
      where: [
        {of: emailOf(config), names: 'customer'},
        {of: {attr: config.columns.id}, names: 'row'},
        {of: {attr: config.columns.fingerprint}, names: 'row'},
      ],
      form: match => ({form: 'rows', from: config.table, where: match, show: show(config), tags: {}}),
    },
  ],
  since: sinceOf,
  statusOf: (config, row) => toText(valueAt(row.values, config.columns.type)) || null,
  hinders: {
    'wrong-fingerprint': {
      what: "can't log in",
      text: 'the fingerprint of the background session does not follow from the email',
      action: 'fix-fingerprint',
      by: 'customer',
    },
    'duplicate-background': {
      what: "can't log in",
      text: 'there are several background sessions',
      action: 'keep-latest-background',
      by: 'customer',
    },
    'missing-background': {
      what: "can't log in",
      text: 'there are device sessions and no background session; only the next login makes one',
      action: null,
      by: 'customer',
    },
  },
};
