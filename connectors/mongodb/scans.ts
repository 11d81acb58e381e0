/** Whether a question reads a whole collection: asked of the server's planner, since a filter does not tell. */
import type {ReadOptions} from '../../source/connector.js';
import type {Form, Tally} from '../../source/forms.js';
import type {Access} from './client.js';
import {byBytes} from './collation.js';
import {compile} from './compile.js';
import {groundOf} from './read.js';

/** Stages that find documents in an index, or know that there are none. */
const byIndex = ['IXSCAN', 'COUNT_SCAN', 'DISTINCT_SCAN', 'IDHACK', 'CLUSTERED_IXSCAN', 'EOF'];
const wholeIndex = '[MinKey, MaxKey]';

type Node = Record<string, unknown>;

/** Every stage of the plan that won, in whatever shape the server tells it (shards, slot-based plans, pipelines). */
const stagesOf = (told: unknown): Node[] => {
  if (told === null || typeof told !== 'object') return [];
  if (Array.isArray(told)) return told.flatMap(stagesOf);
  const inside = Object.entries(told).flatMap(([name, part]) =>
    name === 'rejectedPlans' ? [] : stagesOf(part),
  );
  return 'stage' in told ? [told as Node, ...inside] : inside;
};

const isWholeIndex = ({stage, indexBounds}: Node): boolean => {
  if (stage !== 'IXSCAN') return false;
  const [leading] = Object.values((indexBounds ?? {}) as Record<string, unknown>);
  return Array.isArray(leading) && leading.length === 1 && leading[0] === wholeIndex;
};

/**
 * What the plan reads; null where it is told in words that are not MongoDB's. A question about single rows that goes
 * through a whole index reads every row all the same; one about groups has no other way to go by its index. Pure.
 */
export const scansIn = (told: unknown, form: (Form | Tally)['form']): boolean | null => {
  const stages = stagesOf(told);
  if (stages.some(({stage}) => stage === 'COLLSCAN')) return true;
  if (form === 'rows' && stages.some(isWholeIndex)) return true;
  return stages.some(({stage}) => byIndex.includes(String(stage))) ? false : null;
};

/** See `Connector.scans`. Nothing is read for it but what the planner tries its candidates on. */
export const scansFor = async (
  access: Access,
  form: Form | Tally,
  options: Pick<ReadOptions, 'now'>,
): Promise<boolean | null> => {
  const {filter, projection} = compile(form, groundOf(access, options));
  const find = {find: form.from, filter, projection, ...byBytes(access.db, form.from)};
  const question = {explain: find, verbosity: 'queryPlanner', ...access.limit};
  const told = await access.db
    .command(question, access.signal ? {signal: access.signal} : {})
    .catch(() => null);
  access.signal?.throwIfAborted();
  return scansIn(told, form.form);
};
