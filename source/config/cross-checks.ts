/** Rules about several keys at once, which the schema can't tell. They look at trees that may be wrong elsewhere. */
import {templateNames} from '../forms.js';
import {nearest, orList} from './nearest.js';
import type {Path, Problem} from './problems.js';
import {asSpelled, lineOf, type Tree, valueAtPath} from './tree.js';

type MaybeMap = Record<string, unknown>;

const mapAt = (tree: Tree, path: Path): MaybeMap => {
  const value = valueAtPath(tree.value, path);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as MaybeMap) : {};
};

const listAt = (tree: Tree, path: Path): unknown[] => {
  const value = valueAtPath(tree.value, path);
  return Array.isArray(value) ? value : [];
};

/** What is wrong between keys; empty when nothing is. */
export const crossCheck = (tree: Tree): Problem[] => {
  const problems: Problem[] = [];
  const report = (path: Path, text: string) =>
    problems.push({path: asSpelled(tree, path), line: lineOf(tree, path), text});

  const stores = Object.keys(mapAt(tree, ['stores']));
  for (const store of stores) {
    sameIds(tree, store, report);
    listAt(tree, ['stores', store, 'checks']).forEach((_, index) => {
      const path = ['stores', store, 'checks', index];
      const check = mapAt(tree, path);
      if (check.check === 'duplicates') duplicatesRules(check, path, report);
    });
  }
  listAt(tree, ['identities']).forEach((_, index) => {
    const {store} = mapAt(tree, ['identities', index]);
    if (typeof store !== 'string' || stores.includes(store)) return;
    const near = nearest(store, stores);
    const known = stores.length === 0 ? 'there are none' : `there is ${orList(stores)}`;
    report(
      ['identities', index, 'store'],
      `${JSON.stringify(store)} is not a store of this configuration${near ? `: did you mean ${near}?` : ` (${known})`}`,
    );
  });
  return problems;
};

/** A check's id is `<store>/<name>`, and the name is the kind unless one is given. */
const sameIds = (tree: Tree, store: string, report: (path: Path, text: string) => void): void => {
  const first = new Map<string, number>();
  listAt(tree, ['stores', store, 'checks']).forEach((_, index) => {
    const path = ['stores', store, 'checks', index];
    const {name, check} = mapAt(tree, path);
    const id = typeof name === 'string' ? name : check;
    if (typeof id !== 'string') return;
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, index);
    else
      report(
        typeof name === 'string' ? [...path, 'name'] : path,
        `${store}/${id} is also the id of checks[${earlier}]: give one of them a name of its own (name: …)`,
      );
  });
};

const duplicatesRules = (check: MaybeMap, path: Path, report: (path: Path, text: string) => void): void => {
  if (check.keep === 'latest' && check.latestBy === undefined)
    report([...path, 'keep'], '"latest" needs latestBy: the columns that tell which row is the latest');
  if (
    typeof check.canonicalId === 'string' &&
    check.canonicalId !== '' &&
    templateNames(check.canonicalId).length === 0
  )
    report(
      [...path, 'canonicalId'],
      `${JSON.stringify(check.canonicalId)} holds no {attribute}, so every row would have the same id`,
    );
};
