/** Device sessions that end: by a logout, or because they have expired. Backed up and audited as every cleanup is. */
import type {DeviceSessionsConfig} from '../config/schema.js';
import type {Row} from '../connector.js';
import type {Checker} from '../engine/checker.js';
import {keyOf, keyText} from '../engine/findings.js';
import type {HeldPlan} from '../engine/plan/held-plan.js';
import {SesstuiError} from '../errors.js';
import {valueAt} from '../evaluate.js';
import type {Rows} from '../forms.js';
import type {ShownChange} from '../types.js';
import {toText} from '../values.js';
import {isText} from './arguments.js';
import type {LibraryContext, Which} from './context.js';
import {Gather} from './gather.js';

type Config = DeviceSessionsConfig;
type GymChecker = Checker & {readonly config: Config};

/** More sessions of one fingerprint than any device has. */
const mostOfOne = 1000;

/** Each fingerprint's sessions, in one question. */
const sessionsWith = async (
  fingerprints: string[],
  {config, store}: GymChecker,
): Promise<Map<string, Row[]>> => {
  const form: Rows = {
    form: 'rows',
    from: config.table,
    where: {in: fingerprints, of: {attr: config.columns.fingerprint}},
    show: Object.values(config.columns),
    tags: {},
  };
  const page = {now: 0, offset: 0, limit: mostOfOne * fingerprints.length};
  const {found} = await store.ask(connector => connector.survey(form, page), {insist: true});
  const sessions = new Map(fingerprints.map(fingerprint => [fingerprint, [] as Row[]]));
  for (const {rows} of found)
    for (const row of rows) sessions.get(toText(valueAt(row.values, config.columns.fingerprint)))?.push(row);
  return sessions;
};

/** Known to be a device's and unprotected; the plan says the same again under its own rules. */
const mayEnd = ({columns}: Config, {values}: Row): boolean =>
  valueAt(values, columns.type) === 'device' && valueAt(values, columns.protected) === false;

const faultOf = ({result, error = ''}: ShownChange, what: string): SesstuiError =>
  new SesstuiError(
    result === 'unknown' ? 'unreachable' : 'refused',
    `${what}: ${error}`,
    'The run says more: `sesstui history`.',
  );

export type LoggedOut = {
  /** How many device sessions were deleted. */
  loggedOut: number;
  /** How many sessions of this fingerprint were left: background ones, and those not known to be unprotected. */
  protected: number;
  /** The run, for `sesstui undo`; null when there was nothing to delete. */
  run: string | null;
};

const nobody: LoggedOut = {loggedOut: 0, protected: 0, run: null};

/** Logs several devices out with one run; each is told what became of its own sessions. */
const logoutDevices = async (
  {engine}: LibraryContext,
  checker: GymChecker,
  fingerprints: string[],
): Promise<Map<string, LoggedOut | Error>> => {
  const sessions = await sessionsWith(fingerprints, checker);
  const ownerOf = new Map<string, string>();
  const told = new Map<string, LoggedOut | Error>();
  for (const [fingerprint, rows] of sessions) {
    const ending = rows.filter(row => mayEnd(checker.config, row));
    for (const {identity} of ending) ownerOf.set(keyText(keyOf({identity, values: {}})), fingerprint);
    told.set(fingerprint, {...nobody, protected: rows.length - ending.length});
  }
  if (ownerOf.size === 0) return told;
  const plan = await engine.plan(checker.id, 'logout', {ids: [...ownerOf.keys()]});
  try {
    const confirmed = plan.confirmations.map(({expected}) => expected);
    const result = await engine.run(plan, {confirmed, note: 'library: logoutDevice', lookAgain: false});
    const owners: string[] = [];
    // By the units' own keys: those that are shown may be masked.
    for await (const {changes} of (plan as HeldPlan).held.units)
      owners.push(...changes.map(({identity}) => ownerOf.get(keyText(keyOf({identity, values: {}})))!));
    for (const [index, change] of result.changes.entries()) {
      const before = told.get(owners[index]!)!;
      if (!(before instanceof Error)) told.set(owners[index]!, after(before, change, result.run));
    }
  } finally {
    await engine.release(plan);
  }
  return told;
};

const after = (before: LoggedOut, change: ShownChange, run: string | null): LoggedOut | Error => {
  if (change.result === 'applied') return {...before, loggedOut: before.loggedOut + 1, run};
  if (change.result === 'skipped')
    return change.why === 'protected' ? {...before, protected: before.protected + 1} : before;
  return faultOf(change, 'the device was not logged out');
};

/** What is asked at once of one check; it goes with the context. */
const gathered = new WeakMap<LibraryContext, Map<string, Gather<LoggedOut>>>();

const logoutsOf = (context: LibraryContext, checker: GymChecker): Gather<LoggedOut> => {
  const own = gathered.get(context) ?? new Map<string, Gather<LoggedOut>>();
  gathered.set(context, own);
  const found = own.get(checker.id) ?? new Gather(some => logoutDevices(context, checker, some));
  own.set(checker.id, found);
  return found;
};

/**
 * Deletes the device session with this fingerprint and nothing else: never a background session, nor one that is
 * protected or not known to be unprotected. A fingerprint that nothing has is no error. Callers at once share a run,
 * and of several with one fingerprint the first is told that it was logged out. Throws as the store does.
 */
export const logoutDevice = async (
  context: LibraryContext,
  fingerprint: string,
  which: Which = {},
): Promise<LoggedOut> => {
  if (!isText(fingerprint) || fingerprint === '')
    throw new SesstuiError('usage', 'there is no fingerprint', "Give the device session's fingerprint.");
  const checker = context.checker<Config>('device-sessions', which);
  const {value, first} = await logoutsOf(context, checker).ask(fingerprint);
  return first ? value : {...nobody, protected: value.protected};
};

/** `failed` and `unknown` rows are in the run, with why. */
export type Expired = {
  deleted: number;
  skipped: number;
  failed: number;
  unknown: number;
  run: string | null;
};

/**
 * Deletes every device session that is past its expiry and known to be unprotected, by the database's clock; for a
 * cron. `confirm` is what production wants beyond `limits` (`ENVIRONMENT:COUNT`); its name alone is taken as given.
 */
export const deleteExpiredDeviceSessions = async (
  context: LibraryContext,
  {confirm = [], ...which}: Which & {confirm?: string[]} = {},
): Promise<Expired> => {
  const {engine, logger} = context;
  const checker = context.checker<Config>('device-sessions', which);
  const plan = await engine.plan(checker.id, 'delete-expired', {});
  try {
    const result = await engine.run(plan, {
      confirmed: [engine.environment, ...confirm],
      note: 'library: deleteExpiredDeviceSessions',
      lookAgain: false,
    });
    const {applied: deleted, skipped, failed, unknown, run} = result;
    if (failed + unknown > 0) logger.warn('not every expired session was deleted', {run, failed, unknown});
    return {deleted, skipped, failed, unknown, run};
  } finally {
    await engine.release(plan);
  }
};
