/** The suite that every connector passes: what the store answers is what the reference evaluator answers. */
import type {Harness} from './harness.js';

/** Declares the suite for one store; `open` is called once, before the first test. */
export const connectorSuite = (name: string, open: () => Promise<Harness>): void => {
  void name;
  void open;
};
