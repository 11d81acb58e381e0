/** The audit log: one line a run's beginning and end, each with the hash of the line before it (safety S11). */
import {join} from 'node:path';
import {lock} from 'proper-lockfile';
import {canonicalJson} from '../connector.js';
import type {Json} from '../values.js';
import {JsonLines, makeDirectory, readJsonLines, sha256} from './state-files.js';

type AuditLine = {[name: string]: Json} & {previous: string; hash: string};

const first = sha256('sesstui audit');

const hashOf = ({hash: _, ...rest}: {[name: string]: Json}): string => sha256(canonicalJson(rest));

/** Appends a line; several processes may do so at once. */
export const audit = async (stateDirectory: string, entry: {[name: string]: Json}): Promise<void> => {
  await makeDirectory(stateDirectory);
  const release = await lock(stateDirectory, {
    lockfilePath: join(stateDirectory, 'audit.lock'),
    retries: {retries: 50, minTimeout: 20, maxTimeout: 200},
    stale: 10_000,
  });
  try {
    const path = join(stateDirectory, 'audit.jsonl');
    const lines = await readJsonLines<AuditLine>(path);
    const body = {...entry, previous: lines.at(-1)?.hash ?? first};
    const file = await JsonLines.open(path, true);
    try {
      await file.append([{...body, hash: hashOf(body)}]);
    } finally {
      await file.close();
    }
  } finally {
    await release();
  }
};

/** The problems of the chain: which lines were altered or removed. Empty when it is whole. */
export const verifyAudit = async (stateDirectory: string): Promise<string[]> => {
  const path = join(stateDirectory, 'audit.jsonl');
  const lines = await readJsonLines<AuditLine>(path);
  const problems: string[] = [];
  let previous = first;
  for (const [index, line] of lines.entries()) {
    if (line.previous !== previous)
      problems.push(`${path}:${index + 1} does not follow from the line before it`);
    if (line.hash !== hashOf(line)) problems.push(`${path}:${index + 1} was altered`);
    previous = line.hash;
  }
  return problems;
};
