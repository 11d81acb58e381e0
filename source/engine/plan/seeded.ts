/** New ids that are random, and yet the same again for a plan that was reviewed before it is applied. */
import {createHmac, randomBytes} from 'node:crypto';
import {type Identity, markOf} from '../../connector.js';

/** 256 random bits, as hex. */
export const newSeed = (): string => randomBytes(32).toString('hex');

/** 16 bytes that nobody can guess without the seed; different for each row. */
export const idBytes = (seed: string, table: string, identity: Identity): Buffer =>
  createHmac('sha256', Buffer.from(seed, 'hex')).update(markOf(table, identity)).digest().subarray(0, 16);
