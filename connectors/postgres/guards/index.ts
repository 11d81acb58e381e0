/** The guards of this store, by rule. */
import type {GuardKeeper} from '../../../source/guards.js';
import {noGuards} from '../../../source/no-guards.js';

export const guardKeeper = (): GuardKeeper => noGuards(() => 'there is no guard for this here yet');
