/** A run that was made, opened to be taken back or finished: its backup, and what became of each of its changes. */

import type {Connector} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import {isSameServer} from '../../same-server.js';
import {readAudit} from '../disk/audit.js';
import {Backup, backupPath} from '../disk/backup.js';
import type {RunRecord} from '../disk/run-files.js';
import {hashOfFile} from '../disk/state-files.js';
import {type Settled, settleRun} from './settle.js';

export type OpenSettled = {
  /** The caller closes it. */
  backup: Backup;
  /** By `nameOf`. */
  settled: Map<string, Settled>;
};

/**
 * null for a run without a whole backup: by the order of writes it has changed nothing. Throws `usage` where the store
 * is another server than the run was made on, `damaged` where the backup is not as it was written.
 */
export const openSettled = async (
  connector: Connector,
  stateDirectory: string,
  record: RunRecord,
  signal?: AbortSignal,
): Promise<OpenSettled | null> => {
  const {run} = record.header;
  await requireServer(connector, record, signal);
  await requireAudited(stateDirectory, run);
  const backup = await Backup.open(stateDirectory, run);
  if (!backup) {
    requireUnchanged(stateDirectory, record);
    return null;
  }
  try {
    return {backup, settled: await settleRun(connector, record.journal, backup, signal)};
  } catch (error) {
    await backup.close();
    throw error;
  }
};

/** Somebody may have cut the backup off since. */
const requireUnchanged = (stateDirectory: string, {header, journal}: RunRecord): void => {
  if (!journal.some(line => line.event === 'intent')) return;
  throw new SesstuiError(
    'damaged',
    `${backupPath(stateDirectory, header.run)} is not whole, though its run has made changes`,
    'Restore backup.jsonl from a copy; nothing is undone without it.',
  );
};

/** Throws `damaged` where a backup is not the one that was audited. */
const requireAudited = async (stateDirectory: string, run: string): Promise<void> => {
  const line = (await readAudit(stateDirectory)).find(item => item.event === 'run' && item.run === run);
  const path = backupPath(stateDirectory, run);
  if (line && line.backup !== (await hashOfFile(path)))
    throw new SesstuiError(
      'damaged',
      `${path} is not what the audit log says was written`,
      'Restore the file from a copy; nothing is undone from another backup.',
    );
};

/** Throws `usage` where the store is not the server that the run was made on. */
const requireServer = async (
  connector: Connector,
  {header}: RunRecord,
  signal?: AbortSignal,
): Promise<void> => {
  const server = await connector.server(signal);
  if (isSameServer(server.id, header.server)) return;
  throw new SesstuiError(
    'usage',
    `run ${header.run} was made on another server (${header.server}) than store ${header.store} is now (${server.id})`,
    'Point the store at that server, or take the run back where it was made.',
  );
};
