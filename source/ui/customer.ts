/** What the engine tells of one customer, for the screen to draw. */
export type {Blocking, CustomerReport, CustomerSession} from '../engine/customer.js';
