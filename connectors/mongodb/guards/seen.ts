/** What stands at a guard's place: the collection with its indexes and validator, and what the server can do. */
import {randomBytes} from 'node:crypto';
import {EJSON} from 'bson';
import type {Document} from 'mongodb';
import type {Json} from '../../../source/values.js';
import type {Access} from '../client.js';
import {codeOf} from '../errors.js';

/**
 * An index as the server tells it: `exact` with every type kept, so that it can be put back as it was. One that is
 * `building` is listed like any other, and refuses nothing yet.
 */
export type IndexSeen = {name: string; plain: Document; exact: Document; building?: boolean};

/** `validator` with every type kept; null where there is none. */
export type Validation = {validator: Document | null; level: string; action: string};

export type Abilities = {
  /** collMod is there: validators can be changed. */
  modifies: boolean;
  /** An index becomes unique in place (MongoDB 6.0). */
  converts: boolean;
  sharded: boolean;
};

export type Seen = {
  database: string;
  table: string;
  /** `collection`, `view`, `timeseries`; null where there is none. */
  type: string | null;
  /** Indexes take a collation from the collection unless they say otherwise. */
  collated: boolean;
  indexes: IndexSeen[];
  validation: Validation;
  abilities: Abilities;
  /** null where the collection is not sharded, or this user may not know. */
  shardKey: Document | null;
};

/** Nothing is promoted, so that what is read can be written back. */
const exactly = {promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true} as const;

export const plainOf = (exact: unknown): Document =>
  EJSON.serialize(exact as object, {relaxed: true}) as Document;
export const jsonOf = (exact: unknown): Json => EJSON.serialize(exact as object, {relaxed: false}) as Json;
export const exactOf = (json: Json): Document =>
  EJSON.deserialize(json as object, {relaxed: false}) as Document;

export const signalOf = ({signal}: Access) => (signal ? {signal} : {});

const notThere = 26;
const notImplemented = [59, 115, 238];
const notAllowed = [11, 13, 8000];
/** The wire version of MongoDB 6.0. */
const convertsSince = 17;
const convertsFrom = 6;

/** False where a newer server keeps to what older ones can, as it does between an upgrade and its being confirmed. */
const isConfirmed = async (access: Access): Promise<boolean> => {
  const question = {getParameter: 1, featureCompatibilityVersion: 1, ...access.limit};
  // Not every user may ask; then the server itself says no.
  const reply = await access.db.client
    .db('admin')
    .command(question, signalOf(access))
    .catch(() => null);
  const version = Number.parseFloat(reply?.featureCompatibilityVersion?.version);
  return Number.isNaN(version) || version >= convertsFrom;
};

/**
 * Asks what the server does with a collMod of a collection that is not there, which changes nothing: one that knows the
 * command and its words says that there is no such collection, an older one that it doesn't know the words, and
 * FerretDB, which lists the command, that it isn't implemented. Where the user may not ask, and where nothing but reads
 * may be sent (`readOnly`), the version tells.
 */
export const abilitiesOf = async (access: Access, readOnly: boolean): Promise<Abilities> => {
  const {db, limit} = access;
  const hello = await db.command({hello: 1, ...limit}, signalOf(access));
  const sharded = hello.msg === 'isdbgrid';
  const byVersion = Number(hello.maxWireVersion) >= convertsSince;
  if (readOnly) {
    const info = await db.command({buildInfo: 1, ...limit}, signalOf(access));
    // FerretDB 1 tells the wire version of a MongoDB that could.
    const modifies = info.ferretdbVersion === undefined;
    return {modifies, converts: modifies && byVersion && (await isConfirmed(access)), sharded};
  }
  const nowhere = `sesstui_test_${randomBytes(6).toString('hex')}`;
  const question = {collMod: nowhere, index: {name: 'none', prepareUnique: true}, ...limit};
  const code = await db.command(question, signalOf(access)).then(() => notThere, codeOf);
  const modifies = !notImplemented.includes(code);
  const converts = notAllowed.includes(code) ? byVersion : code === notThere;
  return {modifies, converts: modifies && converts && (await isConfirmed(access)), sharded};
};

const shardKeyOf = async (access: Access, table: string): Promise<Document | null> => {
  const namespace = `${access.db.databaseName}.${table}`;
  const shards = access.db.client.db('config').collection<Document & {_id: string}>('collections');
  // Not every user may read it; the server itself then says no.
  const found = await shards.findOne({_id: namespace, dropped: {$ne: true}}, access.limit).catch(() => null);
  return (found?.key as Document | undefined) ?? null;
};

/** Servers that make indexes unique in place also tell which ones are being built, each as `{spec, indexBuildInfo}`. */
const indexesOf = async (access: Access, table: string, {converts}: Abilities): Promise<IndexSeen[]> => {
  const question = {listIndexes: table, cursor: {batchSize: 1000}, ...access.limit};
  const {cursor} = await access.db.command(converts ? {...question, includeIndexBuildInfo: true} : question, {
    ...exactly,
    ...signalOf(access),
  });
  return (cursor.firstBatch as Document[]).map(told => {
    const {ns: _, ...exact} = told.spec ?? told;
    const building = told.indexBuildInfo !== undefined;
    return {name: String(exact.name), exact, plain: plainOf(exact), ...(building && {building})};
  });
};

/** Reads everything that the guards of a collection are judged by. */
export const look = async (access: Access, table: string, abilities: Abilities): Promise<Seen> => {
  const {db, limit} = access;
  const {cursor} = await db.command(
    {listCollections: 1, filter: {name: table}, ...limit},
    {...exactly, ...signalOf(access)},
  );
  const found = (cursor.firstBatch as Document[]).find(({name}) => String(name) === table);
  const type = found ? String(found.type ?? 'collection') : null;
  const options: Document = found?.options ?? {};
  const validator: Document | null = options.validator ?? null;
  return {
    database: db.databaseName,
    table,
    type,
    collated: options.collation !== undefined,
    indexes: type === 'collection' ? await indexesOf(access, table, abilities) : [],
    validation: {
      validator: validator && Object.keys(validator).length > 0 ? validator : null,
      level: String(options.validationLevel ?? 'strict'),
      action: String(options.validationAction ?? 'error'),
    },
    abilities,
    shardKey: abilities.sharded && type === 'collection' ? await shardKeyOf(access, table) : null,
  };
};

/** Why no guard can be put on what is there; null where one can. */
export const unfit = ({type, table}: Seen): string | null => {
  if (type === null) return `there is no collection ${table}`;
  return type === 'collection' ? null : `${table} is a ${type}`;
};
