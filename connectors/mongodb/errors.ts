/** The driver's errors as sesstui's. Messages go through the redactor, and no driver object is kept as a cause. */
import {
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import {type ErrorCode, SesstuiError} from '../../source/errors.js';
import {createRedactor} from '../../source/redact.js';
import {inWords} from './refusals.js';

const redact = createRedactor();

type Meaning = {code: ErrorCode; hint: string};

const refused: Meaning = {
  code: 'refused',
  hint: 'Check the user, its password and its roles on this database.',
};
const timeout: Meaning = {
  code: 'timeout',
  hint: 'Try again, raise --timeout, or add an index for the check.',
};
const unsupported: Meaning = {code: 'unsupported', hint: 'This server can not do it; MongoDB itself can.'};
const unreachable: Meaning = {
  code: 'unreachable',
  hint: 'Check the url, that the server runs, and the network between.',
};

/** https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml */
const serverCodes: Record<number, Meaning> = {
  8000: refused,
  11: refused,
  13: refused,
  18: refused,
  31: refused,
  33: refused,
  334: refused,
  50: timeout,
  202: timeout,
  262: timeout,
  24: timeout,
  46: timeout,
  112: timeout,
  20: unsupported,
  59: unsupported,
  115: unsupported,
  166: unsupported,
  238: unsupported,
  40324: unsupported,
  72: unsupported,
  6: unreachable,
  7: unreachable,
  89: unreachable,
  91: unreachable,
  189: unreachable,
  9001: unreachable,
  10058: unreachable,
  10107: unreachable,
  11600: unreachable,
  11602: unreachable,
  13388: unreachable,
  13435: unreachable,
  13436: unreachable,
  26: {code: 'not-found', hint: 'Check the database and the collection in the configuration.'},
  121: {code: 'unsupported', hint: 'The collection has a validator that the document does not satisfy.'},
  462: {code: 'throttled', hint: 'Try again later, or with --limit-rate.'},
  16500: {code: 'throttled', hint: 'Try again later, or with --limit-rate.'},
};

const notPrimary = [189, 10058, 10107, 11602, 13435, 13436];

const invalidDocument = 121;
/** Outcomes of changes are told without their hint. */
const refusedByValidator = " (the collection's validator does not let the document in)";

const configHint = 'Check the url of the store in the configuration.';

/** The server's error code; 0 for any other error. */
export const codeOf = (error: unknown): number =>
  error instanceof MongoServerError ? Number(error.code ?? 0) : 0;

export const isDuplicateKey = (error: unknown): boolean => codeOf(error) === 11000;

/** The server may have carried out what was asked, though no answer says so. */
export const isAmbiguous = (error: unknown): boolean =>
  error instanceof MongoNetworkError ||
  (error instanceof MongoError &&
    !(error instanceof MongoServerSelectionError) &&
    !(error instanceof MongoServerError) &&
    !(error instanceof MongoInvalidArgumentError)) ||
  (error instanceof MongoServerError &&
    (serverCodes[codeOf(error)]?.code === 'unreachable' ||
      error.hasErrorLabel('RetryableWriteError') ||
      isWriteConcern(error)));

/** The write was made on the primary, but not acknowledged by a majority in time. */
const isWriteConcern = (error: unknown): boolean =>
  error instanceof MongoServerError && (codeOf(error) === 64 || error.name === 'MongoWriteConcernError');

/** There is no primary at the moment, or it has just become another one: what was asked has not been done. */
export const isElection = (error: unknown): boolean =>
  error instanceof MongoServerSelectionError
    ? meaningOf(error).code === 'unreachable'
    : notPrimary.includes(codeOf(error));

const meaningOf = (error: MongoError): Meaning => {
  if (error instanceof MongoServerSelectionError) {
    const inner = [...(error.reason?.servers.values() ?? [])].map(server => server.error).find(Boolean);
    return inner instanceof MongoServerError ? meaningOf(inner) : unreachable;
  }
  if (error instanceof MongoServerError)
    return (
      serverCodes[codeOf(error)] ?? {
        code: 'internal',
        hint: 'The server did not accept what was asked; please report this.',
      }
    );
  if (error instanceof MongoNetworkTimeoutError) return timeout;
  if (error instanceof MongoParseError || error instanceof MongoInvalidArgumentError)
    return {code: 'config', hint: configHint};
  return unreachable;
};

/** What is wrong with the url. */
export const urlError = (error: unknown): SesstuiError =>
  new SesstuiError('config', `The url of a MongoDB store is wrong: ${redact(textOf(error))}`, configHint);

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Any error as a `SesstuiError`; `what` says what was being done. An aborted signal is `interrupted`, or
 * `timeout` when it was a timer's.
 */
export const mapError = (error: unknown, what: string, signal?: AbortSignal): SesstuiError => {
  if (error instanceof SesstuiError) return error;
  if (signal?.aborted) {
    if (signal.reason instanceof SesstuiError) return signal.reason;
    return signal.reason?.name === 'TimeoutError'
      ? new SesstuiError('timeout', `MongoDB did not finish in time: ${what}`, timeout.hint)
      : new SesstuiError('interrupted', `Interrupted: ${what}`);
  }
  const message =
    redact(inWords(textOf(error))) + (codeOf(error) === invalidDocument ? refusedByValidator : '');
  if (!(error instanceof MongoError)) {
    // The resolver of mongodb+srv:// throws Node's own errors, which have a code like ENOTFOUND.
    const fromNetwork = /^E[A-Z_]+$/.test(String((error as {code?: unknown} | null)?.code ?? ''));
    return fromNetwork
      ? new SesstuiError('unreachable', `MongoDB: ${what}: ${message}`, unreachable.hint)
      : new SesstuiError('internal', `MongoDB: ${what}: ${message}`, 'Please report this.');
  }
  const {code, hint} = meaningOf(error);
  return new SesstuiError(code, `MongoDB: ${what}: ${message}`, hint);
};
