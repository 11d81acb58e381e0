/** What the answer of a statement depends on besides itself, fixed at the beginning of each transaction. */
import {literal} from './sql.js';

export type Access = 'read only' | 'read write';

const idleLimitMs = 60_000;
/** How long a write waits for a lock before it is tried again. */
const lockLimitMs = 2_000;

const pinned = (access: Access, timeoutMs: number): [string, string][] => [
  ['statement_timeout', String(timeoutMs)],
  ['lock_timeout', String(Math.min(timeoutMs, access === 'read only' ? 5_000 : lockLimitMs))],
  ['idle_in_transaction_session_timeout', String(idleLimitMs)],
  ['TimeZone', 'UTC'],
  ['DateStyle', 'ISO, YMD'],
  ['IntervalStyle', 'postgres'],
  ['extra_float_digits', '1'],
  ['bytea_output', 'hex'],
  ['lc_monetary', 'C'],
  ['standard_conforming_strings', 'on'],
  // Generated conditions are long: to compile them takes longer than to run them.
  ['jit', 'off'],
  // Hidden rows are an error then, not a smaller answer.
  ['row_security', 'off'],
];

/**
 * For the start-up packet: kept by the session as well. Not by SET, which a pooler would leave behind for another
 * client of the same server connection.
 */
export const sessionOptions = (timeoutMs: number, readOnly: boolean): string =>
  [...pinned('read only', timeoutMs), ...(readOnly ? [['default_transaction_read_only', 'on']] : [])]
    .map(([name, value]) => `-c ${name}=${value!.replaceAll(' ', '\\ ')}`)
    .join(' ');

/** The same for a connection whose statements may take as long as they need, and wait for locks for `lockMs`. */
export const patientOptions = (lockMs: number): string =>
  `${sessionOptions(0, false)} -c lock_timeout=${lockMs}`;

/** Begins a transaction with everything pinned, in one message. */
export const beginText = (access: Access, timeoutMs: number): string =>
  [
    `begin isolation level read committed ${access}`,
    ...pinned(access, timeoutMs).map(([name, value]) => `set local ${name} = ${literal(value)}`),
  ].join('; ');
