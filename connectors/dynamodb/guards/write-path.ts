/** What stands in for a unique constraint where there is none: one way of writing, that every writer takes. */
import type {WritePathRule} from './definition.js';

/** Why it can't be installed, and what to do instead. */
export const writePathWords = ({groupBy, canonicalId}: WritePathRule): string =>
  canonicalId === null
    ? 'DynamoDB keeps nothing unique but the primary key, and the check has no canonicalId that would make it one: give it one'
    : `DynamoDB can't be made to refuse a second row of the same ${groupBy.join(', ')}: let every writer use upsertSession, which writes under the key ${canonicalId}`;
