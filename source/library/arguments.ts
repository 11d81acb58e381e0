/** What callers without types may give by mistake: told as `usage` before anything is asked of a store. */
import {SesstuiError} from '../errors.js';
import type {Which} from './context.js';
import type {SesstuiOptions} from './sesstui.js';

const usage = (message: string, hint: string): SesstuiError => new SesstuiError('usage', message, hint);

const isObject = (given: unknown): given is object =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

/** Half of a surrogate pair: every store would write another character for it, and not find it again. */
const loneSurrogate = /\p{Cs}/u;

/** A text that a store gives back as it was given. */
export const isText = (given: unknown): given is string =>
  typeof given === 'string' && !loneSurrogate.test(given);

/** The attributes that a function was given as its first argument; `name` is the function's. */
export const attributesFrom = <T>(given: T, name: string): T => {
  if (isObject(given)) return given;
  throw usage(`${name} was not given an object`, `Give what it is about by name: ${name}({…}).`);
};

/** The last argument; throws `usage` for what is none, which would be about another check than the one meant. */
export const whichFrom = <T extends Which & {confirm?: string[]}>(given: T | undefined): T => {
  if (given === undefined) return {} as T;
  const {check, confirm = []} = isObject(given) ? given : {check: null};
  const isOne = isObject(given) && (check === undefined || typeof check === 'string');
  if (isOne && Array.isArray(confirm) && confirm.every(word => typeof word === 'string')) return given;
  throw usage(
    'the last argument does not name a check, or what is confirmed',
    "Give {check: 'store/name'}, {confirm: ['…']} or nothing.",
  );
};

/** PostgreSQL's longest, as a number of milliseconds, with room for what is added to it. */
const longestTimeoutMs = 2_000_000_000;

const isFlag = (given: unknown): boolean => given === undefined || typeof given === 'boolean';

/**
 * The options of `openSesstui`, as they are typed. A time limit of 0 would be none at all, and an empty path would be
 * whatever configuration lies in the working directory.
 */
export const optionsFrom = (given: SesstuiOptions): SesstuiOptions => {
  if (!isObject(given)) throw usage('openSesstui was given no options', 'Give {config: …}.');
  const {config, timeoutMs, stateDirectory, readOnly, allowScan} = given;
  if (config === '') throw usage('config is an empty path', 'Give the path of a configuration file.');
  if (
    timeoutMs !== undefined &&
    !(Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= longestTimeoutMs)
  )
    throw usage('timeoutMs is not a time limit', 'Give whole milliseconds above 0.');
  if (stateDirectory !== undefined && (typeof stateDirectory !== 'string' || stateDirectory === ''))
    throw usage('stateDirectory is not a path', 'Leave it out for the one of the command line.');
  if (!isFlag(readOnly) || !isFlag(allowScan))
    throw usage('readOnly or allowScan is neither true nor false', 'Give a boolean.');
  return given;
};
