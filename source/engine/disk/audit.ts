/**
 * The audit log: a line at a run's beginning and at its end, each with the hash of the line before it (safety S11).
 * `audit.head` holds how many lines there are and the last one's hash, so that lines cut off at the end are missed.
 */
import {rename} from 'node:fs/promises';
import {join} from 'node:path';
import {canonicalJson} from '../../connector.js';
import type {Json} from '../../values.js';
import {locked} from './locked.js';
import {fsFault, JsonLines, makeDirectory, readJsonLines, removeFile, sha256} from './state-files.js';

type AuditLine = {[name: string]: Json} & {previous: string; hash: string};
/** `start`: where the last line begins; heads that were written before there was one lack it. */
type Head = {lines: number; hash: string; start?: number};

const first = sha256('sesstui audit');

const hashOf = ({hash: _, ...rest}: {[name: string]: Json}): string => sha256(canonicalJson(rest));

const pathOf = (stateDirectory: string): string => join(stateDirectory, 'audit.jsonl');
const headPathOf = (stateDirectory: string): string => join(stateDirectory, 'audit.head');

const readHead = async (stateDirectory: string): Promise<Head | undefined> =>
  (await readJsonLines<Head>(headPathOf(stateDirectory)))[0];

/** Whole and on disk before it takes the old one's place. */
const writeHead = async (stateDirectory: string, head: Head): Promise<void> => {
  const path = headPathOf(stateDirectory);
  const next = `${path}.new`;
  await removeFile(next);
  const file = await JsonLines.open(next);
  try {
    await file.append([head]);
  } finally {
    await file.close();
  }
  await rename(next, path).catch(error => {
    throw fsFault(error, path, 'written');
  });
};

/** What the log has lost at its end, in words; null when it is as long as its head says. */
const lostLines = (path: string, lines: AuditLine[], head: Head | undefined): string | null => {
  if (!head) return lines.length > 1 ? `${path}: audit.head, which says how long it is, is gone` : null;
  if (lines.length < head.lines)
    return `${path} was cut off: it had ${head.lines} lines and has ${lines.length}`;
  // A process that died between the two files leaves a line more, or two.
  if (lines.length > head.lines + 2) return `${path} has lines that sesstui did not write`;
  return head.lines > 0 && lines[head.lines - 1]!.hash !== head.hash
    ? `${path}:${head.lines} is not the line that was written there`
    : null;
};

type End = {lines: number; hash: string; lost: string | null};

/** How the log ends. It is read from the line that the head names on; whole only where that is not as it was left. */
const endOf = async (path: string, head: Head | undefined): Promise<End> => {
  if (head?.start !== undefined) {
    const tail = await readJsonLines<AuditLine>(path, head.start).catch(() => []);
    if (tail[0]?.hash === head.hash && tail.length <= 3)
      return {lines: head.lines - 1 + tail.length, hash: tail.at(-1)!.hash, lost: null};
  }
  const lines = await readJsonLines<AuditLine>(path);
  return {lines: lines.length, hash: lines.at(-1)?.hash ?? first, lost: lostLines(path, lines, head)};
};

/** Appends a line; several processes may do so at once. A log that was cut off goes on, and says so for ever. */
export const audit = async (stateDirectory: string, entry: {[name: string]: Json}): Promise<void> => {
  await makeDirectory(stateDirectory);
  await locked(join(stateDirectory, 'audit.lock'), async () => {
    for (let written = false; !written; ) written = await append(stateDirectory, entry);
  });
};

/** False when somebody else wrote meanwhile: this process was stopped, and the lock was given to another one. */
const append = async (stateDirectory: string, entry: {[name: string]: Json}): Promise<boolean> => {
  const path = pathOf(stateDirectory);
  const file = await JsonLines.open(path, true);
  try {
    const end = await endOf(path, await readHead(stateDirectory));
    const {lost} = end;
    const entries = [...(lost ? [{event: 'damaged', at: new Date().toISOString(), what: lost}] : []), entry];
    let {hash} = end;
    const added = entries.map(item => {
      const body = {...item, previous: hash};
      hash = hashOf(body);
      return {...body, hash};
    });
    if (await file.isWrittenByOthers()) return false;
    await file.append(added);
    const start = file.size - Buffer.byteLength(`${JSON.stringify(added.at(-1))}\n`);
    await writeHead(stateDirectory, {lines: end.lines + added.length, hash, start});
    return true;
  } finally {
    await file.close();
  }
};

export const readAudit = (stateDirectory: string): Promise<{[name: string]: Json}[]> =>
  readJsonLines(pathOf(stateDirectory));

/** The problems of the chain: which lines were altered or removed. Empty when it is whole. */
export const verifyAudit = async (stateDirectory: string): Promise<string[]> => {
  const path = pathOf(stateDirectory);
  const lines = await readJsonLines<AuditLine>(path);
  const problems: string[] = [];
  let previous = first;
  for (const [index, line] of lines.entries()) {
    if (line.previous !== previous)
      problems.push(`${path}:${index + 1} does not follow from the line before it`);
    if (line.hash !== hashOf(line)) problems.push(`${path}:${index + 1} was altered`);
    if (line.event === 'damaged') problems.push(`${path}:${index + 1} tells of a loss: ${line.what}`);
    previous = line.hash;
  }
  const lost = lostLines(path, lines, await readHead(stateDirectory));
  return lost ? [...problems, lost] : problems;
};
