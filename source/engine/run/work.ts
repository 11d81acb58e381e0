/** What a run has to write, a unit at a time, and in chunks of the size that the server bears. */
import type {Unit} from '../../connector.js';
import type {UnitSpool} from '../plan/units.js';
import type {Pacer} from './pacing.js';

/**
 * A unit that is to be written: about how many bytes it takes up, its own number, those of its changes, and where
 * these stand among all that are shown.
 */
export type Work = {unit: Unit; size: number; number: number; changes: number[]; shown: number[]};

/** The whole of a spool as work. */
export async function* allWork(spool: UnitSpool): AsyncGenerator<Work> {
  let number = 0;
  let at = 0;
  for await (const {unit, size} of spool.sized()) {
    const changes = [...unit.changes.keys()];
    yield {unit, size, number, changes, shown: changes.map(index => at + index)};
    number++;
    at += changes.length;
  }
}

/** Large rows are written a few at a time (safety S19). */
const mostBytes = 4 << 20;

export async function* chunks(work: AsyncIterable<Work>, pacer: Pacer): AsyncGenerator<Work[]> {
  let chunk: Work[] = [];
  let changes = 0;
  let size = 0;
  for await (const item of work) {
    chunk.push(item);
    changes += item.changes.length;
    size += item.size;
    if (chunk.length < pacer.next() && changes < pacer.mostChanges && size < mostBytes) continue;
    yield chunk;
    chunk = [];
    changes = 0;
    size = 0;
  }
  if (chunk.length > 0) yield chunk;
}
