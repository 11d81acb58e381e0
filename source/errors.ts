/**
 * Everything that can go wrong, as a closed table. Connectors map their drivers' errors to these codes; the
 * command line turns them into a message, a hint and an exit code. Errors are recognised by class, never by shape.
 */
export const errorTable = {
  usage: {exit: 2, text: 'The command was called wrongly.'},
  config: {exit: 2, text: 'The configuration is missing or wrong.'},
  confirmation: {exit: 2, text: 'What was asked for needs a confirmation that was not given.'},
  'read-only': {exit: 2, text: 'The program or the store is read-only.'},
  unreachable: {exit: 3, text: 'The store could not be reached.'},
  refused: {exit: 3, text: 'The store refused the credentials or the permission.'},
  timeout: {exit: 3, text: 'The store did not answer in time.'},
  'not-found': {exit: 3, text: 'A table, column or run is not there.'},
  incomplete: {exit: 3, text: 'Rows are hidden from this user, so the answer would be wrong.'},
  unsupported: {exit: 3, text: 'This store or server version can not do it.'},
  throttled: {exit: 3, text: 'The store is limiting the rate.'},
  'scan-limit': {exit: 3, text: 'The check would read more rows than limits.scan without an index.'},
  cascade: {exit: 3, text: 'Deleting these rows would delete rows of other tables.'},
  protected: {exit: 2, text: 'The row is protected.'},
  damaged: {exit: 3, text: 'A backup or journal is not as it was written.'},
  state: {exit: 3, text: 'The state directory, or a file in it, can not be used.'},
  interrupted: {exit: 130, text: 'Interrupted.'},
  internal: {exit: 3, text: 'A fault in sesstui itself.'},
} as const;

export type ErrorCode = keyof typeof errorTable;

/** An error that the user can read. `hint` says what to do. Never holds a credential. */
export class SesstuiError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  constructor(code: ErrorCode, message: string, hint = '', cause?: unknown) {
    super(message, cause === undefined ? undefined : {cause});
    this.name = 'SesstuiError';
    this.code = code;
    this.hint = hint;
  }
  get exitCode(): number {
    return errorTable[this.code].exit;
  }
  toJSON(): {code: ErrorCode; message: string; hint: string} {
    return {code: this.code, message: this.message, hint: this.hint};
  }
}

/** Any thrown thing as a `SesstuiError`; what is not one already is `internal`. */
export const asSesstuiError = (error: unknown): SesstuiError =>
  error instanceof SesstuiError
    ? error
    : new SesstuiError(
        'internal',
        error instanceof Error ? error.message : String(error),
        'Please report this.',
        error,
      );
