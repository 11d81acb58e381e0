/** Whether the state directory is as it was written: every backup by its hashes, the audit log by its chain. */
import {asSesstuiError} from '../../errors.js';
import type {Json} from '../../values.js';
import {readAudit, verifyAudit} from './audit.js';
import {Backup, backupPath} from './backup.js';
import {type JournalLine, readRun, runDirectory, runNames} from './run-files.js';
import {hashOfFile} from './state-files.js';

type AuditLine = {[name: string]: Json};

/** What is wrong with a run's files, compared with what the audit log says of them. */
const problemsOfRun = async (
  stateDirectory: string,
  run: string,
  audited: AuditLine[],
): Promise<string[]> => {
  const {journal} = await readRun(stateDirectory, run);
  const began = journal.some(line => line.event === 'intent');
  const begin = audited.find(line => line.event === 'run');
  const problems: string[] = [];
  const backup = await Backup.open(stateDirectory, run);
  await backup?.close();
  if (!backup && began)
    problems.push(`${backupPath(stateDirectory, run)} has no footer, though its run has made changes`);
  if (!begin) {
    // A run that was cut off before it was audited has changed nothing.
    if (began) problems.push(`run ${run} is not in the audit log`);
    return problems;
  }
  const directory = runDirectory(stateDirectory, run);
  for (const name of ['plan', 'backup'] as const)
    if ((await hashOfFile(`${directory}/${name}.jsonl`)) !== begin[name])
      problems.push(`${directory}/${name}.jsonl is not what the audit log says was written`);
  return [...problems, ...journalProblems(directory, journal, audited)];
};

/** The journal of a run that ended tells the counts that its last line in the audit log does. */
const journalProblems = (directory: string, journal: JournalLine[], audited: AuditLine[]): string[] => {
  const end = audited.findLast(line => line.event === 'done');
  if (!end) return [];
  const results = new Map<string, string>();
  for (const line of journal)
    if (line.event === 'outcome') results.set(`${line.unit} ${line.change}`, line.result);
  const counts: Record<string, number> = {applied: 0, failed: 0, unknown: 0};
  for (const result of results.values()) counts[result] = (counts[result] ?? 0) + 1;
  return ['applied', 'failed', 'unknown'].some(name => counts[name] !== end[name])
    ? [`${directory}/journal.jsonl does not tell what the audit log does`]
    : [];
};

/** The problems, a sentence each; empty when there are none. */
export const verifyState = async (stateDirectory: string): Promise<string[]> => {
  const problems: string[] = [];
  let audited: AuditLine[] = [];
  try {
    problems.push(...(await verifyAudit(stateDirectory)));
    audited = await readAudit(stateDirectory);
  } catch (error) {
    problems.push(asSesstuiError(error).message);
  }
  const names = await runNames(stateDirectory);
  for (const run of names) {
    try {
      const own = audited.filter(line => line.run === run);
      problems.push(...(await problemsOfRun(stateDirectory, run, own)));
    } catch (error) {
      const fault = asSesstuiError(error);
      // Cut off before its plan was on disk: it has changed nothing, unless the log knows of it.
      if (fault.code !== 'not-found' || audited.some(line => line.run === run)) problems.push(fault.message);
    }
  }
  const missing = new Set(audited.map(line => line.run).filter(run => typeof run === 'string'));
  for (const run of names) missing.delete(run);
  for (const run of missing) problems.push(`run ${run} is in the audit log, and its files are gone`);
  return problems;
};
