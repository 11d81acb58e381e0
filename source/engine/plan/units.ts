/**
 * Units of changes outside of memory: as JSON that comes back the same, and a spool that keeps a small plan in
 * memory and a large one in a file that is gone with the process (safety S19).
 */
import {randomBytes} from 'node:crypto';
import {constants} from 'node:fs';
import {type FileHandle, open, unlink} from 'node:fs/promises';
import {join} from 'node:path';
import type {Change, Identity, Image, KeepRule, NewValue, Unit} from '../../connector.js';
import type {Pred} from '../../forms.js';
import type {Json, Value} from '../../values.js';
import {fsFault, linesOf, makeDirectory} from '../disk/state-files.js';
import {decodeValue, encodeValue} from './encode.js';

type JsonMap = {[name: string]: Json};

const encodeSet = (set: Record<string, NewValue>): Json =>
  Object.fromEntries(
    Object.entries(set).map(([name, wanted]) => [
      name,
      'value' in wanted ? {value: encodeValue(wanted.value)} : (wanted as Json),
    ]),
  );

const decodeSet = (set: JsonMap): Record<string, NewValue> =>
  Object.fromEntries(
    Object.entries(set as Record<string, JsonMap>).map(([name, wanted]) => [
      name,
      'value' in wanted ? {value: decodeValue(wanted.value!)} : (wanted as NewValue),
    ]),
  );

/** A predicate is maps, lists and values, so that what holds for values holds for it. */
const encodePred = (pred: Pred): Json => encodeValue(pred as unknown as Value);
const decodePred = (json: Json): Pred => decodeValue(json) as unknown as Pred;

/** A change without its row's image, which goes beside it. */
export const encodeChange = (change: Change): JsonMap => ({
  op: change.op,
  table: change.table,
  identity: change.identity as unknown as Json,
  version: change.version,
  ...('set' in change && change.set ? {set: encodeSet(change.set)} : {}),
  ...('to' in change ? {to: change.to} : {}),
  ...('from' in change ? {copies: true} : {}),
  ...(change.still ? {still: encodePred(change.still)} : {}),
  ...(change.required ? {required: true} : {}),
  ...(change.skip ? {skip: change.skip} : {}),
  ...(change.source ? {source: change.source} : {}),
});

/** The row as it was, or for an insert the row that it is made from. */
export const imageOf = (change: Change): Image =>
  change.op === 'insert' ? ('row' in change ? change.row : change.from) : change.image;

export const decodeChange = (json: JsonMap, image: Image): Change => {
  const common = {
    table: json.table as string,
    identity: json.identity as unknown as Identity,
    ...(json.still ? {still: decodePred(json.still)} : {}),
    ...(json.required ? {required: true} : {}),
    ...(json.skip ? {skip: json.skip as string} : {}),
    ...(json.source ? {source: json.source as [number, number]} : {}),
  };
  const set = json.set ? decodeSet(json.set as JsonMap) : undefined;
  if (json.op === 'insert')
    return json.copies
      ? {...common, op: 'insert', version: null, from: image, set: set ?? {}}
      : {...common, op: 'insert', version: null, row: image};
  const seen = {...common, version: json.version as string, image};
  if (json.op === 'delete') return {...seen, op: 'delete'};
  if ('to' in json) return {...seen, op: 'update', to: json.to!, ...(set ? {set} : {})};
  return {...seen, op: 'update', set: set ?? {}};
};

export const encodeGroup = ({group}: Unit): Json =>
  group && {
    table: group.table,
    where: encodePred(group.where),
    keep: group.keep as unknown as Json,
    keeper: group.keeper as unknown as Json,
  };

export const decodeGroup = (json: Json): Unit['group'] => {
  if (json === null) return null;
  const {table, where, keep, keeper} = json as JsonMap;
  return {
    table: table as string,
    where: decodePred(where!),
    keep: keep as unknown as KeepRule,
    keeper: keeper as unknown as Identity | null,
  };
};

const encodeUnit = (unit: Unit): Json => ({
  group: encodeGroup(unit),
  changes: unit.changes.map(change => ({change: encodeChange(change), image: imageOf(change)})),
});

const decodeUnit = (json: JsonMap): Unit => ({
  group: decodeGroup(json.group!),
  changes: (json.changes as {change: JsonMap; image: Image}[]).map(({change, image}) =>
    decodeChange(change, image),
  ),
});

const inMemory = 8 << 20;

/**
 * Units in the order in which they were added, to be read as often as needed. Beyond 8 MB they go to a file of the
 * state directory that has no name any more, so that nothing is left of it whatever ends the process.
 */
export class UnitSpool implements AsyncIterable<Unit> {
  units = 0;
  changes = 0;
  readonly #directory: string;
  #lines: string[] = [];
  #size = 0;
  #file: FileHandle | undefined;

  constructor(stateDirectory: string) {
    this.#directory = stateDirectory;
  }

  async add(unit: Unit): Promise<void> {
    const line = JSON.stringify(encodeUnit(unit));
    this.#lines.push(line);
    this.#size += line.length;
    this.units++;
    this.changes += unit.changes.length;
    if (this.#size > inMemory) await this.#spill();
  }

  async #spill(): Promise<void> {
    const path = join(this.#directory, `plan-${randomBytes(8).toString('hex')}`);
    try {
      if (!this.#file) {
        await makeDirectory(this.#directory);
        const {O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW} = constants;
        this.#file = await open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0o600);
        await unlink(path);
      }
      for (const line of this.#lines) await this.#file.appendFile(`${line}\n`);
    } catch (error) {
      throw fsFault(error, path, 'written');
    }
    this.#lines = [];
    this.#size = 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Unit> {
    for await (const {unit} of this.sized()) yield unit;
  }

  /** It has a file open, which `close` lets go. */
  get isOnDisk(): boolean {
    return this.#file !== undefined;
  }

  /** Each unit with about how many bytes it takes up. */
  async *sized(): AsyncGenerator<{unit: Unit; size: number}> {
    const read = (text: string) => ({unit: decodeUnit(JSON.parse(text)), size: text.length});
    if (this.#file) for await (const {text} of linesOf(this.#file)) yield read(text);
    for (const line of this.#lines) yield read(line);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    this.#lines = [];
  }
}

/** All of these units in a spool. */
export const spooled = async (
  stateDirectory: string,
  units: AsyncIterable<Unit> | Iterable<Unit>,
): Promise<UnitSpool> => {
  const spool = new UnitSpool(stateDirectory);
  for await (const unit of units) await spool.add(unit);
  return spool;
};

/** About how many bytes a lossless row takes up. */
export const roughSize = (image: Image): number => {
  if (typeof image === 'string') return image.length;
  if (image === null || typeof image !== 'object') return 8;
  let size = 16;
  for (const [name, value] of Object.entries(image)) size += name.length + roughSize(value as Json);
  return size;
};
