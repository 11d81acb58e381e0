/** What the engine tells of one customer, for the screen to draw. */
export type {
  Blocking,
  CustomerOptions,
  CustomerReport,
  CustomerSession,
  Hindrance,
} from '../engine/customer/report.js';
