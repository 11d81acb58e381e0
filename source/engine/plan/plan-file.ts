/**
 * A plan in a file, for someone else to review (`clean --out`) and to be carried out later (`apply`). It holds what
 * people read and a hash of each change, no row and no secret: when it is applied the plan is made anew, and of that
 * exactly the changes of the file are taken. What the file says can so never do more than its action would do now.
 */
import {z} from 'zod';
import {type Change, canonicalJson} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import type {Selection, ShownChange} from '../../types.js';
import type {Json} from '../../values.js';
import {linesOf, openToRead, sha256, writeNewFile} from '../disk/state-files.js';
import {encodeChange, imageOf} from './units.js';

export type PlanFileHeader = {
  sesstui: 'plan';
  version: 1;
  check: string;
  action: string;
  environment: string;
  /** Which server it was made for, as its connector names it. */
  server: string;
  /** When, on this machine's clock for people, and on the store's for `--max-age` (microseconds). */
  at: string;
  now: number;
  by: string;
  note: string | null;
  selection: Selection;
  seed: string;
  planned: number;
  notes: string[];
  statements: string[];
};

export type PlanFileChange = {unit: number; change: number; is: string; shown: ShownChange};
export type PlanFile = {header: PlanFileHeader; changes: PlanFileChange[]};

/** Equal for a change of the same row, as it was, to the same; its conditions are those of the day. */
export const hashOfChange = (change: Change): string => {
  const {still: _, source: _source, ...encoded} = encodeChange(change);
  return sha256(canonicalJson({...encoded, ...('copies' in encoded ? {image: imageOf(change)} : {})}));
};

/** The lines of a plan's file. The last has the hash of those before it. */
export const writePlanFile = async (path: string, {header, changes}: PlanFile): Promise<void> => {
  const lines = [header, ...changes].map(line => JSON.stringify(line));
  const footer = JSON.stringify({changes: changes.length, sha256: sha256(lines.join('\n'))});
  await writeNewFile(path, `${[...lines, footer].join('\n')}\n`);
};

const refused = (path: string, why: string): SesstuiError =>
  new SesstuiError(
    'usage',
    `${path} ${why}`,
    'Make the plan again with `sesstui clean … --out FILE`, and have that reviewed.',
  );

/** Throws `not-found` where there is no file, `usage` for one that is not a plan or was edited. */
export const readPlanFile = async (path: string): Promise<PlanFile> => {
  const handle = await openToRead(path);
  if (!handle) throw new SesstuiError('usage', `there is no file ${path}`, 'Name the file of `clean --out`.');
  const lines: string[] = [];
  try {
    for await (const {text} of linesOf(handle)) lines.push(text);
  } finally {
    await handle.close();
  }
  const [header, ...changes] = lines.map(line => parsed(path, line)) as unknown as [PlanFileHeader];
  if (header?.sesstui !== 'plan') throw refused(path, 'is not a plan of sesstui');
  if (header.version !== 1) throw refused(path, 'was written by another version of sesstui');
  if (lines.length < 2) throw wasEdited(path);
  const footer = changes.pop() as unknown as {changes?: number; sha256?: string} | undefined;
  if (footer?.sha256 !== sha256(lines.slice(0, -1).join('\n')) || footer.changes !== changes.length)
    throw wasEdited(path);
  const whole = fileShape.safeParse({header, changes});
  if (!whole.success || header.planned !== changes.length) throw wasEdited(path);
  return {header, changes: changes as unknown as PlanFileChange[]};
};

export const wasEdited = (path: string): SesstuiError => refused(path, 'was edited, or is not whole');

const texts = z.array(z.string()).optional();
const fileShape = z.object({
  header: z.strictObject({
    sesstui: z.literal('plan'),
    version: z.literal(1),
    check: z.string(),
    action: z.string(),
    environment: z.string(),
    server: z.string(),
    at: z.string(),
    now: z.number(),
    by: z.string(),
    note: z.string().nullable(),
    selection: z.strictObject({
      groups: texts,
      ids: texts,
      reasons: texts,
      customer: z.string().optional(),
      olderThanMs: z.number().optional(),
      limit: z.number().optional(),
    }),
    seed: z.string().regex(/^[0-9a-f]{64}$/),
    planned: z.number(),
    notes: z.array(z.string()),
    statements: z.array(z.string()),
  }),
  changes: z.array(
    z.strictObject({
      unit: z.number(),
      change: z.number(),
      is: z.string(),
      shown: z.looseObject({op: z.string(), table: z.string(), key: z.record(z.string(), z.json())}),
    }),
  ),
});

const parsed = (path: string, line: string): Json => {
  try {
    return JSON.parse(line) as Json;
  } catch {
    throw refused(path, 'was edited, or is not a plan of sesstui: a line of it is not JSON');
  }
};

/** Throws `usage` for a plan that is older than it may be, on the clock of the store. */
export const requireFresh = (
  path: string,
  {now: made}: PlanFileHeader,
  now: number,
  mostMs: number,
): void => {
  const age = (now - made) / 1000;
  if (age > mostMs)
    throw refused(
      path,
      `is ${Math.round(age / 1000)} seconds old, more than the ${Math.round(mostMs / 1000)} seconds of --max-age`,
    );
  if (age < -60_000) throw refused(path, 'was made in the future of the store that it is for');
};
