/** The table that a guard is for, as it is now. */
import type {Known} from '../known.js';
import type {Run} from '../session.js';
import type {Place} from './rule.js';

const otherKinds: Record<string, string> = {
  v: 'a view',
  m: 'a materialised view',
  f: 'a foreign table',
};

/** `server_version_num` of `server_version`: 150004 of `15.4 (Debian 15.4-1)`. */
export const versionNumber = (version: string): number => {
  const [, major, minor] = /^(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  return Number(major ?? 0) * 10_000 + Number(minor ?? 0);
};

/** The place, or why there is none. */
export const placeOf = async (name: string, known: Known, run: Run): Promise<Place | string> => {
  const {lower, version} = await known.server(run);
  const table = await known.table(name, run);
  if (!table) return `there is no table "${name}"`;
  const kind = otherKinds[table.kind];
  if (kind) return `"${name}" is ${kind}, which has no triggers, constraints or indexes of the kind`;
  return {table, lower, version: versionNumber(version)};
};
