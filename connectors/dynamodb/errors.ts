/** The SDK's errors as sesstui's. Messages never hold a credential: those of signature errors are left out. */
import {SesstuiError} from '../../source/errors.js';

const refused = new Set([
  'AccessDeniedException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
  'MissingAuthenticationToken',
  'ExpiredTokenException',
  'ExpiredToken',
  'InvalidClientTokenId',
  'NotAuthorized',
  'OptInRequired',
  'CredentialsProviderError',
  'TokenProviderError',
]);
const throttled = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'Throttling',
]);
const notConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

type Shape = {
  name?: string;
  code?: string;
  message?: string;
  $fault?: string;
  $response?: unknown;
  errors?: Shape[];
};
const shapeOf = (error: unknown): Shape =>
  typeof error === 'object' && error !== null ? (error as Shape) : {};

/** Node reports a name with several addresses as an AggregateError; the first one's code stands for all. */
const codeOf = (error: unknown): string => {
  const {code, errors} = shapeOf(error);
  return code ?? errors?.[0]?.code ?? '';
};

export const nameOf = (error: unknown): string => shapeOf(error).name ?? '';

export const isThrottling = (error: unknown): boolean => throttled.has(nameOf(error));

const throttledReasons = new Set([
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
]);

/** Throttled as a whole, or as one operation of a transaction. */
export const wasThrottled = (error: unknown): boolean =>
  isThrottling(error) ||
  ((error as {CancellationReasons?: {Code?: string}[]} | null)?.CancellationReasons ?? []).some(({Code}) =>
    throttledReasons.has(Code ?? ''),
  );

/** The server does not take what it was sent: too large, too deep, a name or a type that does not fit. */
export const isInvalid = (error: unknown): boolean => nameOf(error) === 'ValidationException';

/** Another transaction holds the item, or this very one is still under way. */
export const isConflict = (error: unknown): boolean =>
  ['TransactionConflictException', 'TransactionInProgressException'].includes(nameOf(error));

export const isConditionFailure = (error: unknown): boolean =>
  nameOf(error) === 'ConditionalCheckFailedException';

/** No connection was made: what was to be sent has certainly not arrived. */
const isUnsent = (error: unknown): boolean =>
  notConnected.has(codeOf(error)) || nameOf(error) === 'CredentialsProviderError';

/** The request may have been carried out although no answer says so. */
export const isAmbiguous = (error: unknown): boolean => {
  if (isUnsent(error)) return false;
  if (error instanceof SesstuiError) return error.code === 'timeout' || error.code === 'interrupted';
  return shapeOf(error).$fault !== 'client';
};

const hintOfNotFound = 'Check the table names, the region and the endpoint in the configuration.';

/** Any error of the SDK or of the network as a `SesstuiError`; `what` says what was asked, for its message. */
export const mapError = (error: unknown, what: string): SesstuiError => {
  if (error instanceof SesstuiError) return error;
  const {message = '', $fault} = shapeOf(error);
  const name = nameOf(error);
  if (refused.has(name)) {
    const detail = name === 'AccessDeniedException' ? `: ${message}` : '';
    return new SesstuiError(
      'refused',
      `DynamoDB refused ${what} (${name})${detail}`,
      'Check the AWS credentials (environment, profile or role), their permissions and the region.',
    );
  }
  if (throttled.has(name))
    return new SesstuiError(
      'throttled',
      `DynamoDB is limiting the rate of ${what} (${name}).`,
      'Try again later, or raise the capacity of the table.',
    );
  if (name === 'ResourceNotFoundException')
    return new SesstuiError('not-found', `There is no such table: ${what}.`, hintOfNotFound);
  if (name === 'UnknownOperationException')
    return new SesstuiError(
      'unsupported',
      `This server does not know ${what}.`,
      'Use DynamoDB, or a server that has transactions.',
    );
  const code = codeOf(error);
  if (code !== '' && $fault === undefined)
    return new SesstuiError(
      'unreachable',
      `DynamoDB could not be reached for ${what} (${code}).`,
      'Check the endpoint, the region and the network.',
    );
  if ($fault === 'server' || name === 'TimeoutError')
    return new SesstuiError(
      'unreachable',
      `DynamoDB failed at ${what} (${name}): ${message}`,
      'Try again later.',
    );
  return new SesstuiError(
    'internal',
    `DynamoDB did not accept ${what} (${name || 'Error'}): ${message}`,
    'Please report this.',
    error,
  );
};
