/**
 * `backup.jsonl`: every row of a run as it was, lossless, with a hash a record and a footer with the hash of them all
 * (safety S10). With the rows stands what was to be done to them, so that a run that was cut off can be finished from
 * this file alone.
 */
import type {FileHandle} from 'node:fs/promises';
import {join} from 'node:path';
import type {Change, Identity, Image, Unit} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import type {Json} from '../../values.js';
import {decodeChange, decodeGroup, encodeChange, encodeGroup, imageOf} from '../plan/units.js';
import {JsonLines, openToRead, readLines, runsDirectory, sealed, sha256, unseal} from './state-files.js';

export type BackupRecord = {
  unit: number;
  change: number;
  /** On the first change of a unit. */
  group?: Json;
  op: Change['op'];
  table: string;
  identity: Identity;
  version: string | null;
  source?: [number, number];
  image: Image;
  sha256: string;
};

/** Lines are written together until they are this long, so that a large row is held once. */
const batchLength = 1 << 20;

/** Writes records in batches; they are on disk when it returns. Returns the hash of the file. */
export const writeLines = async (path: string, records: AsyncIterable<Json>): Promise<string> => {
  const file = await JsonLines.open(path);
  try {
    let batch: Json[] = [];
    let length = 0;
    for await (const record of records) {
      batch.push(record);
      length += JSON.stringify(record).length;
      if (length < batchLength) continue;
      await file.append(batch);
      batch = [];
      length = 0;
    }
    await file.append(batch);
    return file.sha256;
  } finally {
    await file.close();
  }
};

async function* backupRecords(units: AsyncIterable<Unit>): AsyncIterable<Json> {
  let count = 0;
  let chain = '';
  let unitNumber = 0;
  for await (const unit of units) {
    for (const [index, change] of unit.changes.entries()) {
      const record = sealed({
        unit: unitNumber,
        change: index,
        ...(index === 0 ? {group: encodeGroup(unit)} : {}),
        ...encodeChange(change),
        image: imageOf(change),
      });
      chain = sha256(chain + (record.sha256 as string));
      count++;
      yield record;
    }
    unitNumber++;
  }
  yield {records: count, chain};
}

export const backupPath = (stateDirectory: string, run: string): string =>
  join(runsDirectory(stateDirectory), run, 'backup.jsonl');

export const writeBackup = (path: string, units: AsyncIterable<Unit>): Promise<string> =>
  writeLines(path, backupRecords(units));

/** Where a record stands in its file. */
export type Place = {
  unit: number;
  change: number;
  /** Of an undo: what it takes back. */
  source: [number, number] | null;
  start: number;
  length: number;
};

type Footer = {records: number; chain: string};

const altered = (path: string): SesstuiError =>
  new SesstuiError(
    'damaged',
    `${path} was altered: its footer does not fit`,
    'Restore the file from a copy; nothing is undone from a damaged backup.',
  );

/** A backup that was found whole; rows are read from it when they are needed. */
export class Backup {
  readonly places: Place[];
  readonly #handle: FileHandle;
  private constructor(handle: FileHandle, places: Place[]) {
    this.#handle = handle;
    this.places = places;
  }

  /**
   * Throws `damaged` when a byte of it is not as it was written. null when it was not written to its end: then its
   * run has changed nothing.
   */
  static async open(stateDirectory: string, run: string): Promise<Backup | null> {
    const path = backupPath(stateDirectory, run);
    const places: Place[] = [];
    let chain = '';
    let footer: Footer | undefined;
    for await (const {record, number, start, length} of readLines<BackupRecord | Footer>(path)) {
      if (footer) throw altered(path);
      if ('chain' in record) {
        footer = record;
        continue;
      }
      const {unit, change, source = null, sha256: hash} = unseal(record, path, number);
      places.push({unit, change, source, start, length});
      chain = sha256(chain + hash);
    }
    if (!footer) return null;
    if (footer.records !== places.length || footer.chain !== chain) throw altered(path);
    return new Backup((await openToRead(path))!, places);
  }

  async record({start, length}: Place): Promise<BackupRecord> {
    const buffer = Buffer.alloc(length);
    await this.#handle.read(buffer, 0, length, start);
    return JSON.parse(buffer.toString()) as BackupRecord;
  }

  /** The places of each unit's records, in order; index is the number of the unit. */
  get units(): Place[][] {
    const units: Place[][] = [];
    for (const place of this.places) {
      units[place.unit] ??= [];
      units[place.unit]!.push(place);
    }
    return units;
  }

  /** The unit as it was planned. */
  async unit(places: Place[]): Promise<Unit> {
    const records = await Promise.all(places.map(place => this.record(place)));
    return {
      group: decodeGroup(records[0]?.group ?? null),
      changes: records.map(record => changeOf(record)),
    };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

export const changeOf = ({image, ...record}: BackupRecord): Change =>
  decodeChange(record as unknown as {[name: string]: Json}, image);
