/** Answers of the HTTP server: the contract's JSON, errors with their status, and the headers that all have. */
import {type ErrorCode, SesstuiError} from '../../errors.js';
import {toJsonText} from '../../output/json.js';

export type Answer = {status: number; type: string; body: string; headers?: Record<string, string>};

/** Nothing here is for another site, for a frame, for a cache or for a browser to guess at. */
export const securityHeaders: Record<string, string> = {
  'Content-Security-Policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

export const jsonAnswer = (status: number, value: unknown, headers?: Record<string, string>): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: toJsonText(value),
  headers,
});

/** The contract's `{"error": {code, message, hint}}`. */
export const errorAnswer = (
  status: number,
  {code, message, hint}: Pick<SesstuiError, 'code' | 'message' | 'hint'>,
  headers?: Record<string, string>,
): Answer => jsonAnswer(status, {error: {code, message, hint}}, headers);

/** An error of HTTP itself under the contract's codes. */
export const refusal = (
  status: number,
  code: ErrorCode,
  message: string,
  hint = '',
  headers?: Record<string, string>,
): Answer => errorAnswer(status, new SesstuiError(code, message, hint), headers);

const statuses: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  confirmation: 409,
  'read-only': 403,
  protected: 403,
  config: 500,
  state: 500,
  damaged: 500,
  internal: 500,
};

/** Of an error that was thrown: what is the store's fault, or ended with the program, is 503. */
export const statusOf = (code: ErrorCode): number => statuses[code] ?? 503;
