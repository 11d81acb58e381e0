import {failed} from './mongodb-errors.js';
import {evaluate, type Variables} from './mongodb-expressions.js';
import {isTrue} from './mongodb-match.js';
import {type Doc, isDocument, isNumeric} from './mongodb-values.js';

type Tree = Map<string, Tree | undefined>;
export type Projection = (doc: Doc) => Doc;

/**
 * A projection of find or `$project`: fields in or out, dotted paths through documents and arrays, values computed
 * by an expression. Fields that are kept keep their types and the document's order. `$slice`, `$elemMatch` and the
 * positional `$` are refused.
 */
export const compileProjection = (spec: Doc, variables: Variables = {}): Projection => {
  const entries = Object.entries(spec).flatMap(([path, value]) => flattened(path, value));
  for (const [path] of entries)
    if (path.endsWith('.$')) throw failed('BadValue', 'positional projection is not supported');
  const plain = entries.filter(([, value]) => isFlag(value));
  const computed = entries.filter(([, value]) => !isFlag(value));
  const included = plain.filter(([path, value]) => isTrue(value) && path !== '_id');
  const excluded = plain.filter(([path, value]) => !isTrue(value) && path !== '_id');
  if (included.length + computed.length > 0 && excluded.length > 0)
    throw failed('BadValue', 'Cannot do exclusion in an inclusion projection');
  const id = plain.find(([path]) => path === '_id')?.[1];
  const keepsId = id === undefined || isTrue(id);

  if (included.length + computed.length === 0 && !(id !== undefined && keepsId && excluded.length === 0)) {
    const out = treeOf([...excluded.map(([path]) => path), ...(keepsId ? [] : ['_id'])]);
    return doc => without(doc, out);
  }
  const kept = treeOf([...(keepsId ? ['_id'] : []), ...included.map(([path]) => path)]);
  return doc => {
    const result = only(doc, kept);
    for (const [path, expression] of computed)
      place(result, path.split('.'), evaluate(doc, expression, variables));
    return result;
  };
};

const isFlag = (value: unknown): boolean => typeof value === 'boolean' || isNumeric(value);

/** `{a: {b: 1}}` is `{'a.b': 1}`; an operator is an expression. */
const flattened = (path: string, value: unknown): [string, unknown][] => {
  if (!isDocument(value)) return [[path, value]];
  const names = Object.keys(value);
  if (names.length === 0) throw failed('BadValue', 'An empty sub-projection is not a valid value');
  if (names[0] === '$slice' || names[0] === '$elemMatch' || names[0] === '$meta')
    throw failed('BadValue', `${names[0]} projection is not supported`);
  if (names[0]!.startsWith('$')) return [[path, value]];
  return names.flatMap(name => flattened(`${path}.${name}`, value[name]));
};

const treeOf = (paths: string[]): Tree => {
  const root: Tree = new Map();
  for (const path of paths) {
    let node = root;
    const parts = path.split('.');
    const last = parts.pop()!;
    for (const part of parts) {
      if (!node.has(part)) node.set(part, new Map());
      const next = node.get(part);
      if (!next) throw failed('BadValue', `Path collision at ${path}`);
      node = next;
    }
    if (node.get(last)) throw failed('BadValue', `Path collision at ${path}`);
    node.set(last, undefined);
  }
  return root;
};

const only = (doc: Doc, tree: Tree): Doc =>
  Object.fromEntries(
    Object.entries(doc).flatMap(([name, value]) => {
      if (!tree.has(name)) return [];
      const below = tree.get(name);
      if (!below) return [[name, value]];
      const inner = onlyIn(value, below);
      return inner === undefined ? [] : [[name, inner]];
    }),
  );

/** Of an array only the documents are left, and the arrays in it; of any other value nothing. */
const onlyIn = (value: unknown, tree: Tree): unknown => {
  if (isDocument(value)) return only(value, tree);
  if (!Array.isArray(value)) return undefined;
  return value.map(element => onlyIn(element, tree)).filter(element => element !== undefined);
};

const without = (doc: Doc, tree: Tree): Doc =>
  Object.fromEntries(
    Object.entries(doc).flatMap(([name, value]) => {
      if (!tree.has(name)) return [[name, value]];
      const below = tree.get(name);
      return below ? [[name, withoutIn(value, below)]] : [];
    }),
  );

const withoutIn = (value: unknown, tree: Tree): unknown => {
  if (isDocument(value)) return without(value, tree);
  return Array.isArray(value) ? value.map(element => withoutIn(element, tree)) : value;
};

const place = (doc: Doc, [name, ...rest]: string[], value: unknown): void => {
  if (value === undefined) return;
  if (rest.length === 0) {
    doc[name!] = value;
    return;
  }
  const inner = isDocument(doc[name!]) ? {...(doc[name!] as Doc)} : {};
  place(inner, rest, value);
  doc[name!] = inner;
};
