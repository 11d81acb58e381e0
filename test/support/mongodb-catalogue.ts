/** What MongoDB's catalogue says of a collection, in a form that two moments can be compared in. */
import {EJSON} from 'bson';
import type {Db, Document} from 'mongodb';

/**
 * Without the level and the action where they are the defaults: MongoDB (6.0 too) writes them out at the first collMod
 * that says anything of the validation, and has no command that takes them away again. They say what a collection does
 * that says nothing.
 */
const withoutDefaults = ({validationLevel, validationAction, ...options}: Document): Document => ({
  ...options,
  ...(validationLevel !== undefined && validationLevel !== 'strict' && {validationLevel}),
  ...(validationAction !== undefined && validationAction !== 'error' && {validationAction}),
});

/** Its options and its indexes by name, every type kept. */
export const mongodbCatalogue = async (db: Db, collection: string): Promise<string> => {
  const [info] = await db.listCollections({name: collection}).toArray();
  const {cursor} = await db.command({listIndexes: collection, cursor: {batchSize: 1000}});
  const indexes = (cursor.firstBatch as Document[]).sort((a, b) => (a.name < b.name ? -1 : 1));
  const options = withoutDefaults((info as Document).options);
  return EJSON.stringify({options, indexes}, {relaxed: false});
};
