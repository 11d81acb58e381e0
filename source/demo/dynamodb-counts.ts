import type {Engine, Json, Reply} from './dynamodb-engine.js';
import {itemRange} from './dynamodb-index-fill.js';

const COUNT_LIFETIME_MS = 5000;

const counts = new WeakMap<Engine, Map<string, {count: number; at: number}>>();

/** DescribeTable with a number of items that is at most some seconds old (AWS's is some hours; dynalite's is 0). */
export const describeTable = async (engine: Engine, params: Json): Promise<Reply> => {
  const reply = await engine.execute('DescribeTable', params);
  if (reply.status !== 200) return reply;
  const table = reply.body.Table as Json;
  return {status: 200, body: {Table: {...table, ItemCount: await countItems(engine, table.TableName)}}};
};

const countItems = async (engine: Engine, table: string): Promise<number> => {
  const known = counts.get(engine) ?? new Map<string, {count: number; at: number}>();
  counts.set(engine, known);
  const last = known.get(table);
  if (last && last.count > 1000 && Date.now() - last.at < COUNT_LIFETIME_MS) return last.count;
  let count = 0;
  for await (const _ of engine.store.db.keys(itemRange(table))) count++;
  known.set(table, {count, at: Date.now()});
  return count;
};
