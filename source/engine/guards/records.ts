/** The installs and uninstalls that the state directory knows of: what stood there before, and who goes on with them. */

import type {Guard, GuardDirection, GuardInfo} from '../../guards.js';
import {isSameServer} from '../../same-server.js';
import type {Json} from '../../values.js';
import {listHeaders, RunFiles, type RunRecord, readRunIfThere, summaryOf} from '../disk/run-files.js';
import {auditLine} from '../run/open-run.js';
import {holdRun} from '../run/run-lock.js';

/** Those of a check on this server, the newest first. */
export const guardRunsOf = async (
  stateDirectory: string,
  server: string,
  check: string,
): Promise<RunRecord[]> => {
  const headers = (await listHeaders(stateDirectory)).filter(
    header => header.guards && isSameServer(header.server, server) && header.check === check,
  );
  const records = await Promise.all(headers.map(({run}) => readRunIfThere(stateDirectory, run)));
  return records
    .filter(record => record !== null)
    .sort((a, b) => (a.header.at < b.header.at ? 1 : a.header.at > b.header.at ? -1 : 0));
};

/**
 * What stood in the guard's place before it was first installed, as the run of then wrote it down; undefined where no
 * run of this state directory knows, or the last word was that nothing of ours is there.
 */
export const knownBefore = (
  records: RunRecord[],
  {name}: Pick<Guard, 'name'>,
  state: GuardInfo['state'],
): Json | undefined => {
  const last = records.find(({header}) => header.guards!.names.includes(name));
  if (!last) return undefined;
  const {direction, before} = last.header.guards!;
  const ended = summaryOf(last).state;
  const isCutOff = ended === 'interrupted';
  const isGone =
    last.journal.some(({event}) => event === 'taken-back') ||
    ended === 'undone' ||
    (direction === 'uninstall' && ended === 'done');
  // Where a run was cut off, things of ours may be there though the guard is not.
  if (isGone || (state === 'missing' && !isCutOff)) return undefined;
  return before[name];
};

/**
 * What a run that got through says of earlier ones of the same guards: an install that was cut off and is finished now
 * is done, one that is uninstalled is taken back, and so the other way round. `by`: the run, or who did it.
 */
export const settleEarlier = async (
  stateDirectory: string,
  records: RunRecord[],
  {direction, guards, by, of}: {direction: GuardDirection; guards: string[]; by: string; of?: string},
): Promise<void> => {
  for (const record of records) {
    const {header} = record;
    const {names, direction: made} = header.guards!;
    const {state} = summaryOf(record);
    if (header.run === by || state === 'undone' || !names.every(name => guards.includes(name))) continue;
    const isUndone =
      made !== direction && (made === 'install' || header.run === of || state === 'interrupted');
    if (!isUndone && !(made === direction && state === 'interrupted')) continue;
    const held = await holdRun(stateDirectory, header.run);
    try {
      const event = isUndone ? 'undone' : 'settled';
      const files = await RunFiles.reopen(stateDirectory, header.run);
      try {
        await auditLine(stateDirectory, header, {event, settledBy: by});
        await files.journal([{event, at: new Date().toISOString(), by}]);
      } finally {
        await files.close();
      }
    } finally {
      await held.release();
    }
  }
};
