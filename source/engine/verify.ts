/** Whether the state directory is as it was written: every backup by its hashes, the audit log by its chain. */
import {asSesstuiError} from '../errors.js';
import {verifyAudit} from './audit.js';
import {readBackup, readRun, runNames} from './run-files.js';

/** The problems, a sentence each; empty when there are none. */
export const verifyState = async (stateDirectory: string): Promise<string[]> => {
  const problems: string[] = [];
  for (const run of await runNames(stateDirectory)) {
    try {
      await readRun(stateDirectory, run);
      await readBackup(stateDirectory, run);
    } catch (error) {
      problems.push(asSesstuiError(error).message);
    }
  }
  try {
    problems.push(...(await verifyAudit(stateDirectory)));
  } catch (error) {
    problems.push(asSesstuiError(error).message);
  }
  return problems;
};
