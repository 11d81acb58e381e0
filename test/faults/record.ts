/** What the fault suite did, for the table that `npm run test:faults` prints at its end. */
import {appendFileSync} from 'node:fs';

export type FaultRecord = {
  /** `S4`, or several: `S4 S10`. */
  requirement: string;
  /** In words: `SIGKILL before each step of a run`. */
  fault: string;
  /** On which server, with its version: `PostgreSQL 15`. `none` where no store takes part. */
  server: string;
  rounds: number;
  /** How many rounds broke the requirement; anything but 0 fails the suite. */
  violations: number;
  note?: string;
};

/** Adds a line to the table; rounds and violations of equal requirement, fault and server are summed. */
export const record = (entry: FaultRecord): void => {
  const file = process.env.SESSTUI_FAULTS_RECORD;
  // One write of a short line to a file opened for appending: lines of several workers do not mix.
  if (file) appendFileSync(file, `${JSON.stringify(entry)}\n`);
};
