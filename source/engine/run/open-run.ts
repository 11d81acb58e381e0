/** A run's beginning: its directory, its lock, its files and its line in the audit log; all on disk before any change. */
import {hostname, userInfo} from 'node:os';
import {join} from 'node:path';
import type {Unit} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import type {Json} from '../../values.js';
import {audit, readAudit} from '../disk/audit.js';
import {
  makeRunDirectory,
  type PlanHeader,
  RunFiles,
  type RunRecord,
  readRun,
  runDirectory,
} from '../disk/run-files.js';
import {hashOfFile} from '../disk/state-files.js';
import {type HeldRun, holdRun} from './run-lock.js';

export type OpenRun = {
  stateDirectory: string;
  header: PlanHeader;
  files: RunFiles;
  /** Aborts when this process has lost the run to another one. */
  lost: AbortSignal;
  /** Throws `state` when it has. Asked before anything is written. */
  check: () => Promise<void>;
  /** Closes the files and lets other processes at the run. */
  close: () => Promise<void>;
};

export const whoami = (): string => {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // No entry for this user id, as in some containers.
    return `uid-${process.getuid?.() ?? 'unknown'}@${hostname()}`;
  }
};

/** What every line of the audit log says of a run: who, why, what and where. */
export const auditLine = (
  stateDirectory: string,
  {run, by, check, action, environment, server, note, undoes}: PlanHeader,
  line: {event: string; [name: string]: Json},
): Promise<void> =>
  audit(stateDirectory, {
    at: new Date().toISOString(),
    run,
    by,
    check,
    action,
    environment,
    server,
    note,
    ...(undoes ? {undoes} : {}),
    ...line,
  });

const opened = (stateDirectory: string, header: PlanHeader, files: RunFiles, held: HeldRun): OpenRun => ({
  stateDirectory,
  header,
  files,
  lost: held.lost,
  check: held.check,
  close: async () => {
    await files.close();
    await held.release();
  },
});

const hashesOf = (stateDirectory: string, run: string): Promise<[string | null, string | null]> =>
  Promise.all([
    hashOfFile(join(runDirectory(stateDirectory, run), 'plan.jsonl')),
    hashOfFile(join(runDirectory(stateDirectory, run), 'backup.jsonl')),
  ]);

/** Begins a new run. When this rejects nothing was changed in any store. */
export const beginRun = async (
  stateDirectory: string,
  about: Omit<PlanHeader, 'run' | 'at' | 'by' | 'planned'>,
  units: AsyncIterable<Unit> & {changes: number},
  secrets: string[],
): Promise<OpenRun> => {
  const now = new Date();
  const run = await makeRunDirectory(stateDirectory, now);
  const header = {...about, run, at: now.toISOString(), by: whoami(), planned: units.changes};
  const held = await holdRun(stateDirectory, run);
  let files: RunFiles | undefined;
  try {
    const written = await RunFiles.create(stateDirectory, header, units, secrets);
    files = written.files;
    const {plan, backup} = written;
    await auditLine(stateDirectory, header, {event: 'run', planned: header.planned, plan, backup});
    return opened(stateDirectory, header, files, held);
  } catch (error) {
    await files?.close();
    await held.release();
    throw error;
  }
};

/**
 * Opens a run that was cut off, to go on with it. Throws `usage` where another process holds it, or has written on
 * since `seen` was read.
 */
export const reopenRun = async (
  stateDirectory: string,
  seen: RunRecord,
  note: string | null,
): Promise<OpenRun> => {
  const {run} = seen.header;
  const held = await holdRun(stateDirectory, run);
  let files: RunFiles | undefined;
  try {
    const {header, journal} = await readRun(stateDirectory, run);
    if (journal.length !== seen.journal.length)
      throw new SesstuiError(
        'usage',
        `run ${run} was resumed while this plan was looked at`,
        '`sesstui history` shows what was done.',
      );
    files = await RunFiles.reopen(stateDirectory, run);
    if (!(await readAudit(stateDirectory)).some(line => line.event === 'run' && line.run === run)) {
      const [plan, backup] = await hashesOf(stateDirectory, run);
      await auditLine(stateDirectory, header, {event: 'run', planned: header.planned, plan, backup});
    }
    await files.journal([{event: 'resumed', at: new Date().toISOString(), by: whoami()}]);
    await auditLine(stateDirectory, header, {event: 'resumed', resumedBy: whoami(), resumedNote: note});
    return opened(stateDirectory, header, files, held);
  } catch (error) {
    await files?.close();
    await held.release();
    throw error;
  }
};
