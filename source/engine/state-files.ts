/**
 * Files of the state directory: directories 0700, files 0600, created exclusively, no symbolic link followed,
 * on disk when a write returns (contract: State directory; safety S4, S10).
 */
import {createHash} from 'node:crypto';
import {constants} from 'node:fs';
import {type FileHandle, mkdir, open, readFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {canonicalJson} from '../connector.js';
import {SesstuiError} from '../errors.js';
import type {Json} from '../values.js';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const fsFault = (error: unknown, path: string, what: string): SesstuiError => {
  const code = (error as NodeJS.ErrnoException).code ?? 'error';
  return new SesstuiError(
    'internal',
    `${path} can not be ${what} (${code})`,
    'Nothing was changed that is not backed up. Make room or permissions there, or name another place with --state-dir.',
    error,
  );
};

/** Makes a directory for this user alone, with its parents. Throws `internal` with the path. */
export const makeDirectory = async (path: string, exclusive = false): Promise<void> => {
  try {
    if (exclusive) await mkdir(dirname(path), {recursive: true, mode: 0o700});
    await mkdir(path, {recursive: !exclusive, mode: 0o700});
    await syncDirectory(dirname(path));
  } catch (error) {
    throw fsFault(error, path, 'made');
  }
};

/** So that a new name in a directory survives a crash. */
const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** A crash may have cut off the last line; what is appended must not stand on the same one. */
const dropTornLine = async (path: string, handle: FileHandle): Promise<void> => {
  const text = await readFile(path);
  const end = text.lastIndexOf(0x0a) + 1;
  if (end < text.length) await handle.truncate(end);
};

/** A file of JSON lines that only grows. `append` returns when the lines are on disk. */
export class JsonLines {
  readonly path: string;
  #handle: FileHandle;
  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** A new file, or with `existing` one that is there (or is made). */
  static async open(path: string, existing = false): Promise<JsonLines> {
    const {O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW} = constants;
    try {
      const handle = await open(
        path,
        O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | (existing ? 0 : O_EXCL),
        0o600,
      );
      await syncDirectory(dirname(path));
      if (existing) await dropTornLine(path, handle);
      return new JsonLines(path, handle);
    } catch (error) {
      throw fsFault(error, path, existing ? 'opened' : 'created');
    }
  }

  async append(records: Json[]): Promise<void> {
    if (records.length === 0) return;
    try {
      await this.#handle.appendFile(records.map(record => `${JSON.stringify(record)}\n`).join(''));
      await this.#handle.datasync();
    } catch (error) {
      throw fsFault(error, this.path, 'written');
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** The records of a file; a last line that was cut off by a crash is left out. Empty where there is no file. */
export const readJsonLines = async <T>(path: string): Promise<T[]> => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fsFault(error, path, 'read');
  }
  const lines = text.split('\n');
  const last = lines.pop();
  const records = lines.filter(Boolean).map((line, index) => parseLine<T>(line, path, index + 1));
  if (last) {
    try {
      records.push(JSON.parse(last) as T);
    } catch {
      // The write of this line was cut off: what it told did not happen, by the order of writes.
    }
  }
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
