/** The sentences of alerts: one line each, safe to print, whatever is in the names. */
import {clip, sanitise} from '../../sanitise.js';
import {counted} from '../../words.js';
import type {Look} from '../round.js';
import type {Alert, CancellingRun, OngoingName} from './types.js';

const namedCustomers = 10;
const nameLength = 80;
const messageLength = 500;

export const plain = (text: string, length = nameLength): string => sanitise(clip(text, length));

/** The first of them by name, and how many more there are. */
const names = (customers: string[]): string => {
  const first = customers.slice(0, namedCustomers).map(customer => plain(customer));
  const more = customers.length - first.length;
  return more > 0 ? `${first.join(', ')} and ${more} more` : first.join(', ');
};

const subject = (environment: string, what: string): string => `[${plain(environment)}] ${plain(what, 160)}`;

export const problemsText = (
  environment: string,
  check: string,
  {count, byReason}: {count: number; byReason: [reason: string, count: number][]},
): string => {
  const reasons = byReason.map(([reason, found]) => `${found} ${plain(reason)}`);
  return `${subject(environment, check)}: ${counted(count, 'problem')} (${reasons.join(', ')})`;
};

export const veryStaleText = (environment: string, look: Look, count: number): string =>
  `${subject(environment, look.check)}: ${counted(count, 'session has', 'sessions have')} been waiting for longer than veryStaleAfter`;

export const storeDownText = (environment: string, look: Look): string =>
  `${subject(environment, look.store)} can't be reached: ${plain(look.error?.message ?? 'no answer', messageLength)}`;

export const blockedText = (environment: string, check: string, customers: string[]): string =>
  `${subject(environment, check)}: sessions of ${counted(customers.length, 'customer')} were cancelled in three runs within a day: ${names(customers)}`;

const ended: Record<OngoingName, string> = {
  problems: 'no problems any more',
  'very-stale': 'no very stale session any more',
  'blocked-repeatedly': 'not cancelled three times within the last day any more',
  'store-down': 'can be reached again',
};

export const resolvedText = (
  environment: string,
  what: string,
  of: OngoingName,
  since: string,
  customers: string[] = [],
): string =>
  `${subject(environment, what)}: ${customers.length > 0 ? `${names(customers)}: ` : ''}${ended[of]} (it began ${since})`;

export const cancelledText = (
  environment: string,
  {check, run, applied, customers}: CancellingRun,
  part: number,
  parts: number,
): string =>
  `${subject(environment, check)}: run ${plain(run)} cancelled ${counted(applied, 'session or request', 'sessions and requests')} of ${counted(customers.length, 'customer')}${customers.length > 0 ? `: ${names(customers)}` : ''}${parts > 1 ? ` (message ${part} of ${parts})` : ''}`;

/** An alert in a few words, for a line about its message. */
export const briefly = ({alert, of, store, check, run, part, parts}: Alert): string =>
  `${alert}${of ? ` of ${of}` : ''}${run ? ` of run ${plain(run)}` : ''}${parts && parts > 1 ? ` (${part} of ${parts})` : ''} for ${plain(check ?? store, 160)}`;
