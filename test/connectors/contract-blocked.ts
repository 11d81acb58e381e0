/** The suite on what the checks count in the store besides their findings. */
import {expect} from 'vitest';
import {checkOf} from '../../source/checks/index.js';
import {type CheckConfig, checkSchema} from '../../source/config/schema.js';
import {Time, type ValueMap} from '../../source/values.js';
import type {Declare} from './contract.js';
import {minute} from './contract-changes.js';
import {nowMicros, rowsTable} from './contract-data.js';

const config = checkSchema.parse({
  check: 'stale-sessions',
  sessions: {table: rowsTable},
}) as CheckConfig;

const columns = {
  id: 'text',
  customer_id: 'text',
  status: 'text',
  created_at: 'time',
  updated_at: 'time',
} as const;

const session = (id: string, customer: string | null, status: string, minutes: number): ValueMap => ({
  id,
  ...(customer === null ? {} : {customer_id: customer}),
  status,
  created_at: new Time(nowMicros - minutes * minute),
  updated_at: new Time(nowMicros),
});

export const declareBlocked = (declare: Declare): void => {
  declare('counts a customer once whom stale waiting sessions block', async ({connector, load}) => {
    await load(
      rowsTable,
      columns,
      ['id'],
      [
        session('s1', 'twice', 'waiting', 16),
        session('s2', 'twice', 'waiting', 42),
        session('s3', 'Twice', 'waiting', 20),
        session('s4', 'fresh', 'waiting', 14),
        session('s5', 'live', 'live', 600),
        session('s6', 'done', 'cancelled', 600),
        session('s7', null, 'waiting', 600),
      ],
    );
    const form = checkOf('stale-sessions').blocked!(config);
    const page = {now: nowMicros, offset: 0, limit: 0};
    expect((await connector.survey(form, page)).total).toBe(2);
  });
};
