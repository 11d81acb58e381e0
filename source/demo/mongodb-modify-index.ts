/** What collMod does to an index: making it unique in place in two steps, hiding it, taking that back. */
import type {Collection} from './mongodb-collection.js';
import {failed} from './mongodb-errors.js';
import {type Index, makeIndex} from './mongodb-indexes.js';
import {equal} from './mongodb-order.js';
import {type Doc, isDocument} from './mongodb-values.js';

const KNOWN = new Set(['name', 'keyPattern', 'prepareUnique', 'unique', 'hidden']);

const shown = (key: Doc): string =>
  `{ ${Object.entries(key)
    .map(([path, direction]) => `${path}: ${String(direction)}`)
    .join(', ')} }`;

const isNamed = ({name, keyPattern}: Doc, index: Index): boolean =>
  name === undefined
    ? isDocument(keyPattern) && equal(Object.entries(index.key), Object.entries(keyPattern))
    : index.name === name;

const meant = ({indexes, namespace}: Collection, request: Doc): Index => {
  const {name, keyPattern} = request;
  const found = [...indexes.values()].filter(index => isNamed(request, index));
  const what = name === undefined ? shown(keyPattern as Doc) : String(name);
  if (found.length > 1)
    throw failed('AmbiguousIndexKeyPattern', `index keyPattern ${what} matches ${found.length} indexes`);
  if (found.length === 0) throw failed('IndexNotFound', `cannot find index ${what} for ns ${namespace}`);
  return found[0]!;
};

const optional = (request: Doc, name: string): boolean | undefined => {
  const value = request[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw failed('TypeMismatch', `Field 'index.${name}' is of the wrong type, expected type 'bool'`);
};

const canBeUnique = (index: Index): void => {
  if (!index.guarded)
    throw failed(
      'InvalidOptions',
      "Cannot make index unique with 'prepareUnique=false'. Run collMod to set it first.",
    );
};

/** The `_id`s that share an entry, a list for each entry. */
const violationsOf = (collection: Collection, index: Index): {ids: unknown[]}[] => {
  const rows = new Map([...collection.rows()].map(row => [row.id, row]));
  return [...index.owners.values()]
    .filter(owners => owners.size > 1)
    .map(owners => ({ids: [...owners].map(id => rows.get(id)!.doc._id)}));
};

/** Changes an index as collMod's `index` says; answers what changed as MongoDB does. */
export const modifyIndex = (collection: Collection, request: Doc, command: Doc): Doc => {
  const unknown = Object.keys(request).find(name => !KNOWN.has(name));
  if (unknown) throw failed('CommandNotSupported', `collMod with 'index.${unknown}' is not supported`);
  if ((request.name === undefined) === (request.keyPattern === undefined))
    throw failed('InvalidOptions', 'Must specify either index name or key pattern, and not both.');
  const wantsPrepared = optional(request, 'prepareUnique');
  const unique = optional(request, 'unique');
  const hidden = optional(request, 'hidden');
  const dryRun = command.dryRun === true;
  if ([wantsPrepared, unique, hidden].every(value => value === undefined))
    throw failed('InvalidOptions', 'no expireAfterSeconds, hidden, unique, or prepareUnique field');
  const index = meant(collection, request);
  if (index.name === '_id_') {
    if (hidden !== undefined) throw failed('BadValue', "can't hide _id index");
    return {};
  }
  // What is as it is asked for does not count, nor does preparing one that is unique already.
  const isPrepared = index.spec.prepareUnique === true;
  const prepareUnique = index.unique || wantsPrepared === isPrepared ? undefined : wantsPrepared;
  if (unique === false) throw failed('BadValue', 'Cannot make index non-unique');
  if (prepareUnique !== undefined && (unique !== undefined || hidden !== undefined))
    throw failed('InvalidOptions', 'prepareUnique cannot be combined with any other modification.');
  if (dryRun && (unique === undefined || hidden !== undefined))
    throw failed('InvalidOptions', 'dryRun is only for a conversion to unique');

  const {prepareUnique: wasPrepared, hidden: wasHidden, ...spec} = index.spec;
  const reply: Doc = {};
  const wanted: Doc = {...spec};
  if (prepareUnique !== undefined && prepareUnique !== (wasPrepared === true))
    Object.assign(reply, {prepareUnique_old: wasPrepared === true, prepareUnique_new: prepareUnique});
  if (!index.unique && (prepareUnique ?? wasPrepared === true)) wanted.prepareUnique = true;
  if (hidden !== undefined && hidden !== (wasHidden === true))
    Object.assign(reply, {hidden_old: wasHidden === true, hidden_new: hidden});
  if (hidden ?? wasHidden === true) wanted.hidden = true;
  if (unique && !index.unique) {
    canBeUnique(index);
    const violations = violationsOf(collection, index);
    if (violations.length > 0)
      throw failed(
        'CannotConvertIndexToUnique',
        'Cannot convert the index to unique. Please resolve conflicting documents before running collMod again.',
        {violations},
      );
    delete wanted.prepareUnique;
    wanted.unique = true;
    reply.unique_new = true;
  }
  if (!dryRun) collection.replaceIndex(makeIndex(wanted));
  return reply;
};
