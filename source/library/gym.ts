/**
 * The gym's sign-in sessions (contract: Library), for a login, a logout and a pre-booking: one protected background
 * session an email, whoever else logs in at the same time, and a session for each device.
 */
import {randomBytes} from 'node:crypto';
import {emailOf, isType, keepLatest} from '../checks/device-sessions.js';
import {decideKeeper} from '../checks/keeper.js';
import type {DeviceSessionsConfig} from '../config/schema.js';
import type {Connector, NewValue, StoreKind, TableShape} from '../connector.js';
import type {Checker} from '../engine/checker.js';
import {SesstuiError} from '../errors.js';
import {digest} from '../evaluate.js';
import {nothing, type Pred, type Rows} from '../forms.js';
import type {LibraryContext, Which} from './context.js';
import {emailFrom, type GymColumns, type GymSession, newValues, sessionOf} from './gym-columns.js';

export {deleteExpiredDeviceSessions, logoutDevice} from './gym-clean.js';
export type {GymColumns, GymSession} from './gym-columns.js';

type Config = DeviceSessionsConfig;
type Gym = {
  checker: Checker & {readonly config: Config};
  config: Config;
  kind: StoreKind;
  writer: Connector;
  shape: TableShape;
};

const gymOf = async (context: LibraryContext, which: Which): Promise<Gym> => {
  const checker = context.checker<Config>('device-sessions', which);
  const writer = await context.writer(checker);
  const {config} = checker;
  const shape = await checker.store.shape(writer, config.table, Object.values(config.columns));
  return {checker, config, kind: checker.store.config.kind, writer, shape};
};

const background = (config: Config, email: string): Pred => ({
  all: [isType(config, 'background'), {in: [email], of: emailOf(config)}],
});

const now = ({timeZone}: Config): NewValue => ({now: true, zone: timeZone});

/**
 * The fingerprint of an email's background session: the prefix and the first `length` (1 to 64) hex characters of
 * sha256 of the trimmed, lower-cased email, `-` and the salt (contract: Configuration). Throws `usage` without an
 * email or a salt.
 */
export const backgroundFingerprint = (
  email: string,
  salt: string,
  {prefix = 'bg-', length = 64}: {prefix?: string; length?: number} = {},
): string => {
  if (typeof salt !== 'string' || salt === '')
    throw new SesstuiError('usage', 'a fingerprint needs a salt', 'Give the salt of the configuration.');
  return digest(emailFrom(email), salt, prefix, length);
};

const fingerprintOf = (email: string, {checker, config}: Gym): string => {
  const {salt, ...rest} = config.fingerprint;
  if (salt) return backgroundFingerprint(email, salt, rest);
  throw new SesstuiError(
    'config',
    `check ${checker.id} has no fingerprint.salt, without which a background session has no fingerprint`,
    'Set `fingerprint: {salt: …}` of the check to the salt that the sessions are made with.',
  );
};

/**
 * Makes the background session of an email, or updates the one that is there: `protected` and of the email's own
 * fingerprint, `createdAt` kept and `updatedAt` now. Twice, or many at once, is one row; of several that are there
 * already the latest is updated, and the others are left for the check. A new row gets the email trimmed and
 * lower-cased, an old one keeps its spelling. `id` counts for a new row only; type, protection, fingerprint and the
 * two moments are refused (`usage`), as is a column that the table does not have. Throws `config` without a salt.
 */
export const upsertBackgroundSession = async (
  context: LibraryContext,
  {email: given, ...columns}: {email: string} & GymColumns,
  which: Which = {},
): Promise<GymSession> => {
  const email = emailFrom(given);
  const gym = await gymOf(context, which);
  const {config, shape, writer} = gym;
  const own = config.columns;
  const said = newValues(columns, gym, [
    'email',
    'type',
    'protected',
    'fingerprint',
    'updatedAt',
    'createdAt',
  ]);
  const both: Record<string, NewValue> = {
    ...said,
    [own.protected]: {value: true},
    [own.fingerprint]: {value: fingerprintOf(email, gym)},
    [own.updatedAt]: now(config),
  };
  const isKept = (name: string): boolean => name === own.id || shape.key.includes(name);
  const {row} = await writer.put(
    {
      table: config.table,
      where: background(config, email),
      lock: `background ${email}`,
      keep: keepLatest(config),
      create: {
        ...both,
        [own.email]: {value: email},
        [own.type]: {value: 'background'},
        [own.createdAt]: now(config),
      },
      update: Object.fromEntries(Object.entries(both).filter(([name]) => !isKept(name))),
    },
    {decideKeeper},
  );
  return sessionOf(config, row);
};

/** More background sessions of one email than anybody has; the check finds the others. */
const mostOfOne = 1000;

/** The background session of an email, the latest where there are several; null where there is none. */
export const getBackgroundSession = async (
  context: LibraryContext,
  given: string,
  which: Which = {},
): Promise<GymSession | null> => {
  const email = emailFrom(given);
  const {store, config} = context.checker<Config>('device-sessions', which);
  const form: Rows = {
    form: 'rows',
    from: config.table,
    where: background(config, email),
    show: Object.values(config.columns),
    tags: {},
  };
  // Nothing in the form is about an age.
  const page = {now: 0, full: true, offset: 0, limit: mostOfOne};
  const {found} = await store.ask(connector => connector.survey(form, page), {insist: true});
  const rows = found.flatMap(item => item.rows);
  const row = rows[decideKeeper(keepLatest(config), rows)];
  return row ? sessionOf(config, row) : null;
};

/**
 * A new device session, never protected, with a fingerprint of its own (`dev-` and 32 random hex characters unless
 * one is given). The email is trimmed and lower-cased. Type, protection and the moments that it is made and changed
 * at are refused (`usage`), as is a column that the table does not have.
 */
export const createDeviceSession = async (
  context: LibraryContext,
  {email: given, ...columns}: {email: string; fingerprint?: string} & GymColumns,
  which: Which = {},
): Promise<GymSession> => {
  const email = emailFrom(given);
  const gym = await gymOf(context, which);
  const {config, writer} = gym;
  const own = config.columns;
  const said = newValues(columns, gym, ['email', 'type', 'protected', 'updatedAt', 'createdAt']);
  const {row} = await writer.put(
    {
      table: config.table,
      where: nothing,
      lock: '',
      keep: {by: 'first'},
      create: {
        [own.fingerprint]: {value: `dev-${randomBytes(16).toString('hex')}`},
        ...said,
        [own.email]: {value: email},
        [own.type]: {value: 'device'},
        [own.protected]: {value: false},
        [own.updatedAt]: now(config),
        [own.createdAt]: now(config),
      },
      update: null,
    },
    {decideKeeper},
  );
  return sessionOf(config, row);
};

export type Login = {
  email: string;
  /** Of the device session only. */
  fingerprint?: string;
  expiresAt?: Date | string | null;
  /** Columns of one of the two rows only; all others that are given are set in both. */
  background?: GymColumns;
  device?: GymColumns;
} & Record<string, unknown>;

/**
 * What happens when somebody logs in: the email's background session is made or updated, and a device session is
 * made. Any number of times leaves one background session. `fingerprint`, `expiresAt` and `id` are the device's.
 */
export const login = async (
  context: LibraryContext,
  {email, fingerprint, expiresAt, id, background: one, device: other, ...both}: Login,
  which: Which = {},
): Promise<{background: GymSession; device: GymSession}> => {
  const devices = {fingerprint, expiresAt, id, ...both, ...other};
  return {
    background: await upsertBackgroundSession(context, {...both, ...one, email}, which),
    device: await createDeviceSession(context, {...devices, email}, which),
  };
};
