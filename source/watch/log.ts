/** The watch in words: a line when something has changed, none when it goes on as it was. */
import type {RunResult} from '../types.js';
import {counted, notMade} from '../words.js';
import type {Round} from './round.js';

export type Line = {level: 'info' | 'warn' | 'error'; check: string | null; text: string};

const countsOf = ({look}: Round): string => {
  if (look.status === 'error') return `error ${look.error!.code}`;
  const reasons = Object.entries(look.byReason).map(([reason, count]) => `${reason} ${count}`);
  return look.total === 0 ? 'nothing found' : `${look.total} found (${reasons.join(', ')})`;
};

const lookLines = (before: Round | undefined, round: Round): Line[] => {
  const {look} = round;
  const text = countsOf(round);
  if (before && countsOf(before) === text) return [];
  if (look.status === 'error')
    return [
      {
        level: 'error',
        check: look.check,
        text: `could not be answered (${look.error!.code}): ${look.error!.message}`,
      },
    ];
  return [{level: look.status === 'fail' ? 'warn' : 'info', check: look.check, text}];
};

/** A whole command line for these words; null where none would work. */
export type Suggest = ((words: string[]) => string) | null;

export const runLine = (
  {run, check, action, ...result}: RunResult,
  customers: string[],
  suggest: Suggest,
): Line => {
  const {planned, applied, failed, unknown, faults = [], interrupted} = result;
  const parts = [
    `${action}: ${[`${applied} of ${counted(planned, 'change')} made`, ...notMade(result)].join(', ')}`,
    ...(customers.length > 0 ? [`sessions of ${counted(customers.length, 'customer')} cancelled`] : []),
    ...faults,
    ...(interrupted ? ['cut short'] : []),
    ...(suggest ? [suggest([interrupted ? 'resume' : 'undo', run!, '--yes'])] : []),
  ];
  const level = failed + unknown + faults.length > 0 ? 'error' : interrupted ? 'warn' : 'info';
  return {level, check, text: parts.join('; ')};
};

/** A refusal is told once while it goes on, though its numbers change. */
const refusedLines = (before: Round | undefined, {look, refused}: Round): Line[] => {
  const known = new Set(before?.refused.map(({action}) => action));
  return refused
    .filter(({action}) => !known.has(action))
    .map(({action, text}) => ({
      level: 'warn',
      check: look.check,
      text: `${action} not carried out: ${text}`,
    }));
};

const storeLines = (before: Map<string, string>, {stores}: Round): Line[] =>
  stores.flatMap(({store, state, text}): Line[] => {
    const was = before.get(store);
    if (was === state || state === 'connecting') return [];
    if (state === 'down') return [{level: 'error', check: null, text: `store ${store} is down: ${text}`}];
    return was === 'down' ? [{level: 'info', check: null, text: `store ${store} is up again`}] : [];
  });

/** Takes one round after another and gives the lines that it is worth. */
export const openLog = (suggest: Suggest): ((round: Round) => Line[]) => {
  const rounds = new Map<string, Round>();
  const stores = new Map<string, string>();
  return round => {
    const {check} = round.look;
    const before = rounds.get(check);
    const lines = [
      ...storeLines(stores, round),
      ...round.runs
        .filter(({run}) => run !== null)
        .map(run => runLine(run, round.customers[run.run!] ?? [], suggest)),
      ...refusedLines(before, round),
      ...lookLines(before, round),
    ];
    rounds.set(check, {...round, runs: [], customers: {}});
    for (const {store, state} of round.stores) stores.set(store, state);
    return lines;
  };
};

/** `2026-11-21T10:07:15.000Z warn  rides/stale-sessions: 3 found (stale-waiting 3)`, always one line. */
export const lineText = ({level, check, text}: Line, at: Date): string =>
  `${at.toISOString()} ${level.padEnd(5)} ${check === null ? '' : `${check}: `}${text.replaceAll(/\s*[\r\n]+\s*/g, ' ')}`;
