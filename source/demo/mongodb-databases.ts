import {Collection, type Row} from './mongodb-collection.js';
import {failed} from './mongodb-errors.js';
import type {RawDocument} from './mongodb-reply.js';
import type {Doc} from './mongodb-values.js';

export type Cursor = {namespace: string; rest: RawDocument[]};

/** Everything that a stand-in holds: collections by database, and open cursors. */
export class Databases {
  readonly cursors = new Map<bigint, Cursor>();
  readonly #databases = new Map<string, Map<string, Collection>>();
  #lastCursor = 0n;

  names(): string[] {
    return [...this.#databases].filter(([, collections]) => collections.size > 0).map(([name]) => name);
  }

  collections(database: string): Map<string, Collection> {
    return this.#databases.get(database) ?? new Map();
  }

  find(database: string, name: string): Collection | undefined {
    return this.collections(database).get(name);
  }

  rows(database: string, name: string, filter: Doc, variables: Doc = {}): Row[] {
    return this.find(database, name)?.find(filter, variables) ?? [];
  }

  /** The collection, made when it isn't there. */
  ensure(database: string, name: string): Collection {
    if (name === '' || name.includes('$') || name.includes('\0') || name.startsWith('system.'))
      throw failed('InvalidNamespace', `Invalid namespace specified '${database}.${name}'`);
    const collections = this.collections(database);
    this.#databases.set(database, collections);
    const collection = collections.get(name) ?? new Collection(`${database}.${name}`);
    collections.set(name, collection);
    return collection;
  }

  drop(database: string, name: string): boolean {
    return this.collections(database).delete(name);
  }

  dropDatabase(database: string): void {
    this.#databases.delete(database);
  }

  openCursor(namespace: string, rest: RawDocument[]): bigint {
    this.#lastCursor += 1n + BigInt(Math.floor(Math.random() * 1000));
    this.cursors.set(this.#lastCursor, {namespace, rest});
    return this.#lastCursor;
  }
}
