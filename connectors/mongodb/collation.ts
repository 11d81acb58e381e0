/**
 * Collections whose collation takes different texts for one. Checks compare byte by byte, so their questions say so;
 * a question by `_id` does not, since only the collection's own collation has the index of `_id`.
 */
import type {Db, Document} from 'mongodb';

const simple = {collation: {locale: 'simple'}};
const collated = new WeakMap<Db, Set<string>>();

/** Remembers what a list of collections says; a collection keeps its collation for as long as it is there. */
export const noteCollations = (db: Db, listed: {name: string; options?: Document}[]): void => {
  const known = collated.get(db) ?? new Set();
  collated.set(db, known);
  for (const {name, options} of listed)
    if (options?.collation) known.add(name);
    else known.delete(name);
};

export const isCollated = (db: Db, table: string): boolean => collated.get(db)?.has(table) ?? false;

/** The options of a question that compares byte by byte. */
export const byBytes = (db: Db, table: string): typeof simple | Record<string, never> =>
  isCollated(db, table) ? simple : {};
