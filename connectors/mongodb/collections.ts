/** What collections there are, and reading documents of them as bytes. */
import type {Document} from 'mongodb';
import {canonicalJson, type Identity, type TableShape} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {RawRow} from '../../source/evaluate.js';
import type {Access} from './client.js';
import {byBytes, noteCollations} from './collation.js';
import type {Query, Stage} from './compile.js';
import type {Filter} from './filters.js';
import {idOfIdentity} from './identity.js';
import {type FullRow, fullRowOf, rawRowOf} from './row.js';

/** Documents a reply; the server also ends a batch at 16 MiB. */
const batchSize = 1000;
/** Whole documents read at once by `_id`. */
const fetchAtOnce = 50;

type Listed = {name: string; type?: string; options?: Document};

const listed = async (access: Access, filter: Document = {}): Promise<Listed[]> => {
  const options = {...access.limit, ...signalOf(access)};
  const found = (await access.db.listCollections(filter, options).toArray()) as Listed[];
  noteCollations(access.db, found);
  return found;
};

const signalOf = ({signal, session}: Access) => ({
  ...(signal ? {signal} : {}),
  ...(session ? {session} : {}),
});

/** Options of every read: raw, so that nothing is promoted on the way. */
const readOptions = (access: Access) => ({...access.limit, ...signalOf(access), raw: true});

/** Names of the database's own collections and views, sorted. */
export const collectionNames = async (access: Access): Promise<string[]> =>
  (await listed(access))
    .map(({name}) => name)
    .filter(name => !name.startsWith('system.'))
    .sort();

/** Of these, the collections that keep to a size: a snapshot can't be read of them, so no transaction changes one. */
export const cappedAmong = async (access: Access, tables: Iterable<string>): Promise<Set<string>> => {
  const found = await listed(access, {name: {$in: [...tables]}});
  return new Set(found.filter(({options}) => options?.capped === true).map(({name}) => name));
};

/** Throws `not-found` for the first that isn't there: a misspelt name must not look like a healthy table. */
export const requireCollections = async (access: Access, names: string[]): Promise<void> => {
  const there = new Set((await listed(access)).map(({name}) => name));
  const missing = names.find(name => !there.has(name));
  if (missing !== undefined)
    throw new SesstuiError(
      'not-found',
      `There is no collection "${missing}" in the database ${access.db.databaseName}.`,
      'Check the name, and the database of the store, in the configuration.',
    );
};

/** A collection's indexes and size, and the key of one document; null when there is none of that name. */
export const describeCollection = async (access: Access, table: string): Promise<TableShape | null> => {
  const found = (await listed(access, {name: table})).find(({name}) => name === table);
  if (!found) return null;
  const isView = found.type === 'view';
  const collection = access.db.collection(table);
  const options = {...access.limit, ...signalOf(access)};
  const some = !isView && (await collection.findOne({}, {...readOptions(access), projection: {_id: 1}}));
  const indexes = isView ? [] : await collection.indexes(options);
  return {
    table,
    columns: null,
    key: ['_id'],
    ...(some && {someKey: rawRowOf(table, some as unknown as Uint8Array).values._id}),
    estimatedRows: isView ? null : await collection.estimatedDocumentCount(options),
    // A partial or sparse index doesn't hold every document, so a search by its attributes can't rest on it; nor on
    // one that is in another order than that of bytes.
    indexes: indexes
      .filter(index => !index.partialFilterExpression && !index.sparse && !index.hidden)
      .filter(index => !index.collation || index.name === '_id_')
      .map(({name, key, unique}) => ({
        name: name ?? '',
        attributes: Object.keys(key),
        unique: unique === true || name === '_id_',
      })),
    cascades: [],
    hidden: null,
  };
};

/** Projected documents as rows, a batch at a time. */
export async function* rowsOf(
  access: Access,
  table: string,
  query: Pick<Query, 'filter' | 'projection'> & {byId?: boolean},
): AsyncGenerator<RawRow> {
  const cursor = access.db.collection(table).find(query.filter, {
    ...readOptions(access),
    ...(query.byId ? {} : byBytes(access.db, table)),
    projection: query.projection,
    batchSize,
  });
  for await (const bytes of cursor) yield rawRowOf(table, bytes as unknown as Uint8Array);
}

/** Whole documents that a filter lets through; `byId`: it asks for some `_id`s, and nothing else. */
export async function* documentsOf(
  access: Access,
  table: string,
  filter: Filter,
  byId = false,
): AsyncGenerator<FullRow> {
  const collation = byId ? {} : byBytes(access.db, table);
  const cursor = access.db.collection(table).find(filter, {...readOptions(access), ...collation, batchSize});
  for await (const bytes of cursor) yield fullRowOf(table, bytes as unknown as Uint8Array);
}

/** What a pipeline gives, each as raw BSON. */
export const aggregated = async (access: Access, table: string, pipeline: Stage[]): Promise<Uint8Array[]> =>
  (await access.db
    .collection(table)
    .aggregate(pipeline, {
      ...readOptions(access),
      ...byBytes(access.db, table),
      batchSize,
      allowDiskUse: true,
    })
    .toArray()) as unknown as Uint8Array[];

/** Is there a document that a filter lets through? */
export const exists = async (access: Access, table: string, filter: Filter): Promise<boolean> =>
  (await access.db.collection(table).findOne(filter, {
    ...readOptions(access),
    ...byBytes(access.db, table),
    projection: {_id: 1},
  })) !== null;

/** A list in pieces of at most `size`. */
export const piecesOf = <T>(items: T[], size: number): T[][] =>
  Array.from({length: Math.ceil(items.length / size)}, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );

/** Whole documents by identity, in the order asked for; undefined for one that isn't there. */
export const fetchRows = async (
  access: Access,
  table: string,
  identities: Identity[],
): Promise<(FullRow | undefined)[]> => {
  const found = new Map<string, FullRow>();
  for (const some of piecesOf(identities, fetchAtOnce)) {
    const filter =
      some.length === 1 ? {_id: {$eq: idOfIdentity(some[0]!)}} : {_id: {$in: some.map(idOfIdentity)}};
    for await (const row of documentsOf(access, table, filter, true))
      found.set(canonicalJson(row.identity.at), row);
  }
  return identities.map(identity => found.get(canonicalJson(identity.at)));
};
