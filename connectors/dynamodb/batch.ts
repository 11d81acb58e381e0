/** Which of a unit's changes go into the next transaction. Pure. */
import {type Change, canonicalJson, type Unit} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Outcomes} from './decide.js';
import {bytesOf, type Operation} from './operations.js';

/** TransactWriteItems takes 100 items … */
const mostItems = 100;
/** … and 4 MB of them. */
const mostBytes = 3_500_000;

/**
 * What must happen together comes first: required changes, the row that is put in, the delete of the row that it
 * was made of, and references, which must be repointed before the row that they pointed at goes.
 */
const urgency = (change: Change, unit: Unit): number => {
  if (change.required) return 0;
  if (change.op !== 'delete') return change.op === 'insert' ? 1 : 2;
  const image = canonicalJson(change.image);
  const isMoved = unit.changes.some(
    other => other.op === 'insert' && 'from' in other && canonicalJson(other.from) === image,
  );
  return isMoved ? 2 : 3;
};

/**
 * The operations of one transaction, which has room for `checks` more items. Throws `unsupported` when those that
 * must go together don't fit into one.
 */
export const nextBatch = (
  unit: Unit,
  outcomes: Outcomes,
  operations: Operation[],
  checks: number,
): Operation[] => {
  const pending = operations
    .filter(({index}) => outcomes[index] === undefined)
    .map(operation => ({operation, urgency: urgency(unit.changes[operation.index]!, unit)}))
    .sort((a, b) => a.urgency - b.urgency || a.operation.index - b.operation.index);
  const batch: Operation[] = [];
  let bytes = 0;
  for (const {operation, urgency: level} of pending) {
    const size = bytesOf(operation);
    if (batch.length > 0 && (batch.length === mostItems - checks || bytes + size > mostBytes)) {
      if (level > 0) break;
      throw new SesstuiError(
        'unsupported',
        'More changes have to be made together than fit in one transaction.',
      );
    }
    batch.push(operation);
    bytes += size;
  }
  return batch;
};
