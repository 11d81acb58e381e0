/** pg's and the network's errors → `SesstuiError`. Messages name the store, never the URL. */
import pg from 'pg';
import {type ErrorCode, SesstuiError} from '../../source/errors.js';

type Mapped = [code: ErrorCode, message: string, hint: string];

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EACCES',
]);

/** What may be tried again: a lock not granted in time, a deadlock, a serialization failure. */
export const isRetriable = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && ['55P03', '40P01', '40001'].includes(error.code ?? '');

/** The server spoke: the statement failed, the connection lives. */
export const isStatementError = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.severity !== 'FATAL' && error.severity !== 'PANIC';

const checkHost = 'Check the host, the port and that the server runs.';
const checkLogin = 'Check the user, the password and the grants of the URL.';

const ofDatabase = (error: pg.DatabaseError, store: string): Mapped => {
  const code = error.code ?? '';
  const {message} = error;
  if (code === '42501' && error.routine === 'check_enable_rls')
    return [
      'incomplete',
      `Row-level security hides rows from this user of ${store}: ${message}.`,
      'Use a role that row-level security does not apply to (BYPASSRLS, or the owner of the table).',
    ];
  if (code.startsWith('28') || code === '42501')
    return ['refused', `${store} refused: ${message}.`, checkLogin];
  if (code === '3D000')
    return ['not-found', `${store}: ${message}.`, 'Check the name of the database in the URL.'];
  if (code === '42P01' || code === '42703' || code === '3F000')
    return ['not-found', `${store}: ${message}.`, 'Has the table changed? Try again.'];
  if (code === '57014')
    return [
      'timeout',
      `${store} did not finish the statement in time.`,
      'Raise the timeout of the store, or add an index.',
    ];
  if (code === '55P03')
    return [
      'timeout',
      `${store}: a lock was not granted in time.`,
      'Another transaction holds these rows; try again when it is done.',
    ];
  if (code === '25P03' || code === '57P05')
    return ['timeout', `${store} ended a transaction that was idle for too long.`, ''];
  if (code === '25006')
    return [
      'read-only',
      `${store} is read-only: ${message}.`,
      'Nothing was written. Is it a standby, or does a function or trigger of the database write while it is read?',
    ];
  if (code === '0A000' || code === '42883' || code === '22P05')
    return [
      'unsupported',
      `${store} can't do this: ${message}.`,
      'PostgreSQL 13 or later with a UTF-8 database is needed.',
    ];
  if (code.startsWith('08') || code.startsWith('57P') || code.startsWith('53'))
    return ['unreachable', `${store} is not available: ${message}.`, 'Try again later.'];
  return ['internal', `${store}: ${message}${error.code ? ` (${error.code})` : ''}.`, ''];
};

const ofOther = (error: Error & {code?: string; errors?: unknown[]}, store: string): Mapped => {
  const first = error.errors?.[0];
  const {code = first instanceof Error ? (first as {code?: string}).code : undefined, message} = error;
  if (message === 'Query read timeout')
    return ['timeout', `${store} did not answer in time.`, 'Raise the timeout of the store.'];
  if (code && networkCodes.has(code))
    return ['unreachable', `${store} could not be reached (${code}).`, checkHost];
  if (/^SASL|password/i.test(message))
    return ['refused', `${store} wants a password that the URL does not have, or another one.`, checkLogin];
  if (/SSL|TLS|certificate|self.signed|issuer/i.test(`${message} ${code}`))
    return [
      'unreachable',
      `${store}: the connection could not be secured (${code ?? message}).`,
      'Set sslmode and sslrootcert in the URL to fit the server.',
    ];
  if (/timeout|timed out/i.test(message))
    return ['unreachable', `${store} could not be reached in time.`, checkHost];
  if (/Connection terminated|socket|closed the connection|not queryable/i.test(message))
    return [
      'unreachable',
      `The connection to ${store} was lost.`,
      'It connects again with the next question.',
    ];
  return ['internal', `${store}: ${message}`, 'Please report this.'];
};

/** Any thrown thing as a `SesstuiError`; an abort is `interrupted`. */
export const mapError = (error: unknown, store: string, signal?: AbortSignal): SesstuiError => {
  if (error instanceof SesstuiError) return error;
  if (signal?.aborted) return interrupted();
  const [code, message, hint] =
    error instanceof pg.DatabaseError
      ? ofDatabase(error, store)
      : ofOther(error instanceof Error ? error : new Error(String(error)), store);
  return new SesstuiError(code, message, hint, error);
};

export const interrupted = (): SesstuiError => new SesstuiError('interrupted', 'Interrupted.');
