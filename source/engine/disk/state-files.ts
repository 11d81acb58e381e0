/**
 * Files of the state directory: directories 0700, files 0600, created exclusively, no symbolic link followed,
 * on disk when a write returns (contract: State directory; safety S4, S10).
 */
import {createHash} from 'node:crypto';
import {constants} from 'node:fs';
import {type FileHandle, lstat, mkdir, open, stat, unlink} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {canonicalJson} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import type {Json} from '../../values.js';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const fsFault = (error: unknown, path: string, what: string): SesstuiError => {
  const code = (error as NodeJS.ErrnoException).code ?? 'error';
  return new SesstuiError(
    'state',
    `${path} can not be ${what} (${code})`,
    'Nothing was changed that is not backed up. Make room or permissions there, or name another place with --state-dir.',
    error,
  );
};

/**
 * Makes a directory for this user alone, with its parents; false when `exclusive` and it is there. Throws `state`
 * with the path.
 */
export const makeDirectory = async (path: string, exclusive = false): Promise<boolean> => {
  try {
    await makeOne(path, exclusive);
    await requireOwn(path);
    await syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (error instanceof SesstuiError) throw error;
    if (exclusive && (error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fsFault(error, path, 'made');
  }
};

/** One directory, and those above it that are missing. (Node's own way never ends where a parent can't be made.) */
const makeOne = async (path: string, exclusive: boolean): Promise<void> => {
  try {
    await mkdir(path, {mode: 0o700});
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && !exclusive) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || (await stat(parent).catch(() => null))) throw error;
    await makeOne(parent, false);
    await mkdir(path, {mode: 0o700});
  }
};

/** Whoever may write in a directory could put other files there, or have ours written where it likes. */
const requireOwn = async (path: string): Promise<void> => {
  const found = await stat(path);
  if (!found.isDirectory()) throw Object.assign(new Error('not a directory'), {code: 'ENOTDIR'});
  const {uid, mode} = found;
  const mine = process.getuid?.();
  // Windows has neither.
  if (mine === undefined) return;
  const why =
    uid !== mine && uid !== 0
      ? `belongs to another user (uid ${uid})`
      : (mode & 0o022) !== 0
        ? `may be written by others (mode ${(mode & 0o777).toString(8)})`
        : null;
  if (why)
    throw new SesstuiError(
      'state',
      `${path} ${why}: it is no place for backups`,
      'Nothing was changed. Make it yours alone (chmod 700), or name another place with --state-dir.',
    );
};

/** `runs` and what is in it are directories; where the state directory itself lies is its user's business. */
export const requireNoLink = async (path: string): Promise<void> => {
  if ((await lstat(path)).isSymbolicLink())
    throw new SesstuiError(
      'state',
      `${path} is a symbolic link: backups would go somewhere else`,
      'Nothing was changed. Remove it, or name another place with --state-dir.',
    );
};

/** So that a new name in a directory survives a crash. */
export const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** How far a file holds whole lines: a crash may have cut off the last one. */
const wholeLines = async (handle: FileHandle): Promise<number> => {
  const {size} = await handle.stat();
  const block = Buffer.alloc(65_536);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - block.length);
    const {bytesRead} = await handle.read(block, 0, end - start, start);
    const at = block.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
};

/** A file of JSON lines that only grows. `append` returns when the lines are on disk. */
export class JsonLines {
  readonly path: string;
  readonly #handle: FileHandle;
  /** How long the file is when everything that was appended is in it, and nothing else. */
  #size: number;
  readonly #hash = createHash('sha256');
  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.#handle = handle;
    this.#size = size;
  }

  /** A new file, or with `existing` one that is there (or is made). */
  static async open(path: string, existing = false): Promise<JsonLines> {
    const {O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW} = constants;
    try {
      const handle = await open(
        path,
        O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | (existing ? 0 : O_EXCL),
        0o600,
      );
      try {
        await syncDirectory(dirname(path));
        const size = existing ? await wholeLines(handle) : 0;
        // What is appended must not stand on the same line as what was cut off.
        if (existing) await handle.truncate(size);
        return new JsonLines(path, handle, size);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw fsFault(error, path, existing ? 'opened' : 'created');
    }
  }

  async append(records: Json[]): Promise<void> {
    if (records.length === 0) return;
    const text = records.map(record => `${JSON.stringify(record)}\n`).join('');
    try {
      await this.#handle.appendFile(text);
      await this.#handle.datasync();
      this.#size += Buffer.byteLength(text);
      this.#hash.update(text);
    } catch (error) {
      // Half a line may stand there now: the next one must not be written behind it.
      await this.#handle.truncate(this.#size).catch(() => undefined);
      throw fsFault(error, this.path, 'written');
    }
  }

  /** Has anybody else written to the file since it was opened? */
  async isWrittenByOthers(): Promise<boolean> {
    return (await this.#handle.stat()).size !== this.#size;
  }

  get size(): number {
    return this.#size;
  }

  /** A hash of everything that was appended through this object. */
  get sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** The lines of an open file from a position, with where each begins. A last line without an end is `whole: false`. */
export async function* linesOf(
  handle: FileHandle,
  from = 0,
): AsyncGenerator<{text: string; start: number; length: number; whole: boolean}> {
  let rest: Buffer[] = [];
  let start = from;
  let position = from;
  const block = Buffer.alloc(1 << 18);
  for (;;) {
    const {bytesRead} = await handle.read(block, 0, block.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    let next = 0;
    for (let at = block.indexOf(0x0a); at >= 0 && at < bytesRead; at = block.indexOf(0x0a, next)) {
      const line = Buffer.concat([...rest, block.subarray(next, at)]);
      rest = [];
      yield {text: line.toString(), start, length: line.length, whole: true};
      start += line.length + 1;
      next = at + 1;
    }
    if (next < bytesRead) rest.push(Buffer.from(block.subarray(next, bytesRead)));
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield {text: last.toString(), start, length: last.length, whole: false};
}

/** Opens a file of the state directory to read it; null where there is none. No symbolic link is followed. */
export const openToRead = async (path: string): Promise<FileHandle | null> => {
  try {
    const {O_RDONLY, O_NOFOLLOW, O_NONBLOCK} = constants;
    // A pipe would make the opening wait.
    const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    throw Object.assign(new Error('not a file'), {code: 'not a regular file'});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw fsFault(error, path, 'read');
  }
};

export type ReadLine<T> = {record: T; text: string; number: number; start: number; length: number};

/**
 * The records of a file, a block at a time, from a line that begins at `from`; a last line that was cut off by a crash
 * is left out.
 */
export async function* readLines<T>(path: string, from = 0): AsyncGenerator<ReadLine<T>> {
  const handle = await openToRead(path);
  if (!handle) return;
  try {
    let number = 0;
    for await (const {text, start, length, whole} of linesOf(handle, from)) {
      number++;
      if (text === '') continue;
      // The write of a last line was cut off: what it told did not happen, by the order of writes.
      if (whole) yield {record: parseLine<T>(text, path, number), text, number, start, length};
    }
  } finally {
    await handle.close();
  }
}

/** The records of a file from a line on, all at once. Empty where there is no file. */
export const readJsonLines = async <T>(path: string, from = 0): Promise<T[]> => {
  const records: T[] = [];
  for await (const {record} of readLines<T>(path, from)) records.push(record);
  return records;
};

const parseLine = <T>(line: string, path: string, number: number): T => {
  try {
    return JSON.parse(line) as T;
  } catch (error) {
    throw new SesstuiError(
      'damaged',
      `${path}:${number} is not JSON any more`,
      'The file was altered. Restore it from a copy; nothing is undone from a damaged file.',
      error,
    );
  }
};

/** A record with a hash of itself, so that an edit is seen. */
export const sealed = (record: {[name: string]: Json}): {[name: string]: Json} => ({
  ...record,
  sha256: sha256(canonicalJson(record)),
});

/** Throws `damaged` when the record is not what was sealed. */
export const unseal = <T extends {sha256: string}>(record: T, path: string, number: number): T => {
  const {sha256: hash, ...rest} = record;
  if (hash !== sha256(canonicalJson(rest as unknown as Json)))
    throw new SesstuiError(
      'damaged',
      `${path}:${number} was altered`,
      'Restore the file from a copy; nothing is undone from a damaged backup.',
    );
  return record;
};

export const runsDirectory = (stateDirectory: string): string => join(stateDirectory, 'runs');

/** Removes a file that may not be there. */
export const removeFile = async (path: string): Promise<void> => {
  await unlink(path).catch(error => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fsFault(error, path, 'removed');
  });
};

/** The hash of a file's bytes; null where there is none. */
export const hashOfFile = async (path: string): Promise<string | null> => {
  const handle = await openToRead(path);
  if (!handle) return null;
  try {
    const hash = createHash('sha256');
    for await (const block of handle.createReadStream({autoClose: false})) hash.update(block);
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
};

/** A file of the user's, for this user alone. Throws `usage` where there is one of that name. */
export const writeNewFile = async (path: string, text: string): Promise<void> => {
  const {O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW} = constants;
  let handle: FileHandle;
  try {
    handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new SesstuiError('usage', `${path} is there already`, 'Name a file that is not there yet.');
    throw fsFault(error, path, 'created');
  }
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await removeFile(path).catch(() => undefined);
    throw fsFault(error, path, 'written');
  } finally {
    await handle.close();
  }
};
