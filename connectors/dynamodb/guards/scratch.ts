/** Tables for `guards test`, beside the real ones, gone afterwards. */
import {randomBytes} from 'node:crypto';
import {SesstuiError} from '../../../source/errors.js';
import {nameOf} from '../errors.js';
import {pause} from '../pause.js';
import type {Store} from '../store.js';
import type {KeyType} from '../tables.js';
import {lookAt} from './index-state.js';
import type {RuleProof} from './proof.js';

const prefix = 'sesstui_test_';
const scratchPattern = /^sesstui_test_([0-9a-z]{8,9})_[0-9a-f]{8}$/;
/** A test that is still running is younger than this. */
const leftoverMs = 60 * 60_000;
const mostMs = 5 * 60_000;

/** `sesstui_test_mi7k2f3a_9c0d1e2f`: when it was made, in base 36, and something random. */
export const scratchName = (nowMs: number): string =>
  `${prefix}${nowMs.toString(36)}_${randomBytes(4).toString('hex')}`;

/** Was it left behind by a test that was killed? */
export const isLeftover = (name: string, nowMs: number): boolean => {
  const [, made] = scratchPattern.exec(name) ?? [];
  return made !== undefined && nowMs - Number.parseInt(made, 36) > leftoverMs;
};

/** Throws `timeout` when `is` does not come true in five minutes; `what` says what was waited for. */
export const eventually = async (
  is: () => Promise<boolean>,
  what: string,
  signal?: AbortSignal,
): Promise<void> => {
  const started = performance.now();
  for (let attempt = 0; !(await is()); attempt++) {
    if (performance.now() - started > mostMs)
      throw new SesstuiError('timeout', `Waited too long for ${what}.`);
    await pause(attempt, signal);
  }
};

/** Goes on when it is to be stopped: nothing should be left. */
const drop = async (store: Store, table: string): Promise<void> => {
  const isGone = async (): Promise<boolean> => {
    try {
      await store.client.send('DeleteTable', {TableName: table});
      return false;
    } catch (error) {
      return nameOf(error) === 'ResourceNotFoundException';
    }
  };
  await eventually(isGone, `${table} to be dropped`);
};

const dropLeftovers = async (store: Store, signal?: AbortSignal): Promise<void> => {
  const names = await store.tables.names(signal);
  for (const name of names.filter(one => isLeftover(one, Date.now()))) await drop(store, name);
};

const create = async (
  store: Store,
  table: string,
  key: [name: string, type: KeyType][],
  signal?: AbortSignal,
): Promise<void> => {
  await store.client.send(
    'CreateTable',
    {
      TableName: table,
      AttributeDefinitions: key.map(([AttributeName, AttributeType]) => ({AttributeName, AttributeType})),
      KeySchema: key.map(([AttributeName], at) => ({
        AttributeName,
        KeyType: at === 0 ? ('HASH' as const) : ('RANGE' as const),
      })),
      BillingMode: 'PAY_PER_REQUEST',
    },
    signal,
  );
  const isThere = async () => (await lookAt(store, table, signal))?.TableStatus === 'ACTIVE';
  await eventually(isThere, `${table} to be made`, signal);
};

/**
 * Makes a table for each key, proves on them, and drops them whatever happens; also those that killed tests left more
 * than an hour ago.
 */
export async function* onScratch(
  store: Store,
  keys: [name: string, type: KeyType][][],
  proofs: (tables: string[]) => AsyncIterable<RuleProof>,
  signal?: AbortSignal,
): AsyncIterable<RuleProof> {
  await dropLeftovers(store, signal);
  const tables = keys.map(() => scratchName(Date.now()));
  try {
    for (const [at, key] of keys.entries()) await create(store, tables[at]!, key, signal);
    yield* proofs(tables);
  } finally {
    for (const table of tables) await drop(store, table);
  }
}
