/** What a connection that works beside live writers is at, looked at from another one. */
import type {StepOptions} from '../../../source/guards.js';
import type {Run, Session} from '../session.js';
import type {Limits} from './limits.js';
import {blockerOf} from './waiting.js';

export type Progress = Pick<StepOptions, 'signal' | 'onProgress'>;

const statement = (text: string, values: unknown[]) => ({text, values});

const progress = `select phase, blocks_done::text, blocks_total::text, tuples_done::text, tuples_total::text
  from pg_catalog.pg_stat_progress_create_index where pid = $1::int4`;

const percent = (done: string | null, total: string | null): number | null =>
  Number(total) > 0 ? Math.min(100, Math.floor((100 * Number(done)) / Number(total))) : null;

const look = async (processId: string, run: Run): Promise<{text: string; blocker: string | null} | null> => {
  const blocker = await blockerOf(processId, run);
  if (blocker) return {text: `waiting for ${blocker}`, blocker};
  const [row] = await run(statement(progress, [processId]));
  if (!row) return null;
  const [phase, ...counts] = row;
  const share = percent(counts[0]!, counts[1]!) ?? percent(counts[2]!, counts[3]!);
  return {text: `building the index: ${share === null ? phase : `${share} %`}`, blocker: null};
};

/** Tells of the progress of a backend until it is stopped, which returns who was in the way at last. */
export const watch = (
  processId: string | null,
  session: Session,
  {lookMs}: Limits,
  {onProgress}: Progress,
): (() => string | null) => {
  let blocker: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const next = (): void => {
    timer = setTimeout(() => {
      session
        .read(run => look(processId!, run))
        .then(seen => {
          if (stopped) return;
          blocker = seen?.blocker ?? null;
          if (seen) onProgress?.(seen.text);
        })
        .catch(() => undefined)
        .finally(() => {
          if (!stopped) next();
        });
    }, lookMs);
  };
  if (processId) next();
  return () => {
    stopped = true;
    clearTimeout(timer);
    return blocker;
  };
};
