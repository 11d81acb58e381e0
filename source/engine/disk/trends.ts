/**
 * The counts of each check over time, in the state directory: a file a check, which every process that looks adds to
 * (the screen, `check`, `health`, the watch). They help to see, nothing depends on them: a file that can't be read
 * or written is as if it was not there, and never fails a check.
 */
import {constants} from 'node:fs';
import {open, rename, unlink} from 'node:fs/promises';
import {join} from 'node:path';
import {type Trend, type TrendPoint, thinned} from '../../trend.js';
import type {CheckResult} from '../../types.js';
import {locked} from './locked.js';
import {makeDirectory, requireNoLink} from './state-files.js';

/** A count that has not changed is written again after this long. */
const sameMs = 10_000;
/** A changed count is written again after this long. */
const changedMs = 1000;
/** Longer files are thinned; a longer one still was not written by this program, and its start is not read. */
const mostBytes = 64 * 1024;

const parse = (text: string): TrendPoint[] =>
  text.split('\n').flatMap(line => {
    const match = /^\[(\d{1,15}),(\d{1,15})\]$/.exec(line);
    return match ? [{at: Number(match[1]), total: Number(match[2])}] : [];
  });

const lineOf = ({at, total}: TrendPoint): string => `[${at},${total}]\n`;

const {O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW} = constants;

/** The end of the file, and how long it is; nothing where there is none. */
const readEnd = async (path: string): Promise<{points: TrendPoint[]; size: number}> => {
  const handle = await open(path, O_RDONLY | O_NOFOLLOW);
  try {
    const {size} = await handle.stat();
    const start = Math.max(0, size - 2 * mostBytes);
    const {buffer, bytesRead} = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return {points: parse(buffer.toString('utf8', 0, bytesRead)), size};
  } finally {
    await handle.close();
  }
};

const write = async (path: string, text: string, flags: number): Promise<void> => {
  const handle = await open(path, flags | O_NOFOLLOW, 0o600);
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
};

export class Trends {
  readonly #directory: string;
  readonly #place: (check: string) => string;
  readonly #known = new Map<string, TrendPoint[]>();
  /** The work under way for each check: one at a time. */
  readonly #busy = new Map<string, Promise<void>>();

  /** `place`: a word for the server that a check looks at; the counts of one say nothing of another's. */
  constructor(stateDirectory: string, place: (check: string) => string = () => '') {
    this.#directory = join(stateDirectory, 'trends');
    this.#place = place;
  }

  /** What is known of a check without asking the disk: since the first look of this process it is what the file has. */
  of(check: string): Trend {
    return {check, points: this.#known.get(check) ?? []};
  }

  /** Adds what a check found in all. Returns when it is told to `of`; the disk follows (`settled`). */
  record({check, status, total}: Pick<CheckResult, 'check' | 'status' | 'total'>, at = Date.now()): void {
    if (status === 'error') return;
    const before = this.#busy.get(check) ?? Promise.resolve();
    const after = before.then(() => this.#add(check, {at, total}));
    this.#busy.set(check, after);
  }

  /** Everything that was recorded is on disk, or can't be. */
  async settled(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  async #add(check: string, point: TrendPoint): Promise<void> {
    const path = join(this.#directory, `${encodeURIComponent(check)}${this.#place(check)}.jsonl`);
    const file = await readEnd(path).catch(() => null);
    const points = thinned(file?.points ?? this.#known.get(check) ?? [], point.at);
    const last = points.at(-1);
    const isDue = !last || point.at - last.at >= (last.total === point.total ? sameMs : changedMs);
    // What is told is always the newest; what is kept need not be each of them.
    this.#known.set(check, [...points, point]);
    if (isDue) await this.#write(path, point, file?.size ?? 0).catch(() => undefined);
  }

  async #write(path: string, point: TrendPoint, size: number): Promise<void> {
    await makeDirectory(this.#directory);
    await requireNoLink(this.#directory);
    await write(path, lineOf(point), O_RDWR | O_CREAT | O_APPEND);
    if (size > mostBytes) await locked(`${path}.lock`, () => this.#thin(path, point.at));
  }

  /** What another process adds at this moment may be lost: a point in a line. */
  async #thin(path: string, now: number): Promise<void> {
    const {points, size} = await readEnd(path);
    if (size <= mostBytes) return;
    const fresh = `${path}.new`;
    await unlink(fresh).catch(() => undefined);
    await write(fresh, thinned(points, now).map(lineOf).join(''), O_RDWR | O_CREAT | O_EXCL);
    await rename(fresh, path);
  }
}
