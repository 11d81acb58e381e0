/** Device sessions that end: by a logout, or because they have expired. Backed up and audited as every cleanup is. */
import type {DeviceSessionsConfig} from '../config/schema.js';
import type {Row} from '../connector.js';
import type {Checker} from '../engine/checker.js';
import {keyOf, keyText} from '../engine/findings.js';
import {SesstuiError} from '../errors.js';
import {valueAt} from '../evaluate.js';
import type {Rows} from '../forms.js';
import type {RunResult} from '../types.js';
import type {LibraryContext, Which} from './context.js';

type Config = DeviceSessionsConfig;
type GymChecker = Checker & {readonly config: Config};

/** More sessions of one fingerprint than any device has. */
const mostOfOne = 1000;

const sessionsWith = async (fingerprint: string, {config, store}: GymChecker): Promise<Row[]> => {
  const form: Rows = {
    form: 'rows',
    from: config.table,
    where: {in: [fingerprint], of: {attr: config.columns.fingerprint}},
    show: Object.values(config.columns),
    tags: {},
  };
  const page = {now: 0, offset: 0, limit: mostOfOne};
  const {found} = await store.ask(connector => connector.survey(form, page), {insist: true});
  return found.flatMap(({rows}) => rows);
};

/** Known to be a device's and unprotected; the plan says the same again under its own rules. */
const mayEnd = ({columns}: Config, {values}: Row): boolean =>
  valueAt(values, columns.type) === 'device' && valueAt(values, columns.protected) === false;

const requireWhole = ({failed, unknown, changes}: RunResult, what: string): void => {
  if (failed + unknown === 0) return;
  const {error = ''} = changes.find(({result}) => result === 'failed' || result === 'unknown') ?? {};
  throw new SesstuiError(
    unknown > 0 ? 'unreachable' : 'refused',
    `${what}: ${error}`,
    'The run says more: `sesstui history`.',
  );
};

export type LoggedOut = {
  /** How many device sessions were deleted. */
  loggedOut: number;
  /** How many sessions of this fingerprint were left: background ones, and those not known to be unprotected. */
  protected: number;
  /** The run, for `sesstui undo`; null when there was nothing to delete. */
  run: string | null;
};

/**
 * Deletes the device session with this fingerprint and nothing else: never a background session, nor one that is
 * protected or not known to be unprotected. A fingerprint that nothing has is no error.
 */
export const logoutDevice = async (
  context: LibraryContext,
  fingerprint: string,
  which: Which = {},
): Promise<LoggedOut> => {
  if (typeof fingerprint !== 'string' || fingerprint === '')
    throw new SesstuiError('usage', 'there is no fingerprint', "Give the device session's fingerprint.");
  const checker = context.checker<Config>('device-sessions', which);
  const rows = await sessionsWith(fingerprint, checker);
  const ending = rows.filter(row => mayEnd(checker.config, row));
  const kept = rows.length - ending.length;
  if (ending.length === 0) return {loggedOut: 0, protected: kept, run: null};
  const ids = ending.map(row => keyText(keyOf(row)));
  const {engine} = context;
  const plan = await engine.plan(checker.id, 'logout', {ids});
  const confirmed = plan.confirmations.map(({expected}) => expected);
  const result = await engine.run(plan, {confirmed, note: 'logoutDevice'});
  requireWhole(result, 'the device was not logged out');
  return {loggedOut: result.applied, protected: kept, run: result.run};
};

export type Expired = {deleted: number; skipped: number; run: string | null};

/**
 * Deletes every device session that is past its expiry and known to be unprotected, by the database's clock; for a
 * cron. `confirmed` is what production wants typed beyond `limits` (`NAME:COUNT`); its name alone is taken as given.
 */
export const deleteExpiredDeviceSessions = async (
  context: LibraryContext,
  {confirmed = [], ...which}: Which & {confirmed?: string[]} = {},
): Promise<Expired> => {
  const {engine} = context;
  const checker = context.checker<Config>('device-sessions', which);
  const plan = await engine.plan(checker.id, 'delete-expired', {});
  const result = await engine.run(plan, {
    confirmed: [engine.environment, ...confirmed],
    note: 'deleteExpiredDeviceSessions',
  });
  requireWhole(result, 'not every expired session was deleted');
  return {deleted: result.applied, skipped: result.skipped, run: result.run};
};
