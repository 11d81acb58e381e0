import {failed} from './mongodb-errors.js';
import {type Doc, isDocument, mapDocument} from './mongodb-values.js';

const INDEX = /^(0|[1-9]\d*)$/;

export const ownValue = (doc: Doc, name: string): unknown =>
  Object.hasOwn(doc, name) ? doc[name] : undefined;

/**
 * The values that a dotted path leads to, undefined for each place where it leads nowhere. As in MongoDB, an array
 * on the way is looked into (each document in it, and the element with that number); one at the end is a value.
 */
export const valuesAt = (doc: Doc, path: string): unknown[] => {
  if (!path.includes('.')) return [ownValue(doc, path)];
  const found: unknown[] = [];
  collect(doc, path.split('.'), 0, found);
  return found;
};

const collect = (value: unknown, parts: string[], at: number, found: unknown[]): void => {
  if (at === parts.length) found.push(value);
  else if (isDocument(value)) collect(ownValue(value, parts[at]!), parts, at + 1, found);
  else if (Array.isArray(value)) {
    const part = parts[at]!;
    if (INDEX.test(part) && Number(part) < value.length) collect(value[Number(part)], parts, at + 1, found);
    for (const element of value) if (isDocument(element)) collect(element, parts, at, found);
  } else found.push(undefined);
};

/** The values of a path with the elements of arrays beside the arrays: what a comparison is tried on. */
export const candidatesAt = (doc: Doc, path: string): unknown[] => {
  const values = valuesAt(doc, path);
  return values.some(Array.isArray)
    ? values.flatMap(value => (Array.isArray(value) ? [value, ...value] : [value]))
    : values;
};

type Container = Doc | unknown[];

/** A copy whose documents and arrays can be changed without changing the original. */
export const cloned = <T>(value: T): T => {
  if (Array.isArray(value)) return value.map(cloned) as T;
  return isDocument(value) ? (mapDocument(value, cloned) as T) : value;
};

/** The value at an update's path, where array elements go by number only. */
export const getPath = (doc: Doc, path: string): unknown => {
  let value: unknown = doc;
  for (const part of path.split('.')) {
    if (Array.isArray(value)) value = INDEX.test(part) ? value[Number(part)] : undefined;
    else value = isDocument(value) ? ownValue(value, part) : undefined;
  }
  return value;
};

/** Sets what an update's path names, making the documents on the way; throws where something else is in the way. */
export const setPath = (doc: Doc, path: string, value: unknown): void => {
  const parts = path.split('.');
  const last = parts.pop()!;
  let container: Container = doc;
  for (const part of parts) {
    if (read(container, part) === undefined) write(container, part, {});
    const next = read(container, part);
    if (!Array.isArray(next) && !isDocument(next))
      throw failed('PathNotViable', `Cannot create field '${last}' in element {${part}: ${String(next)}}`);
    container = next;
  }
  write(container, last, value);
};

/** Removes what an update's path names; an array keeps its length and has null there. */
export const unsetPath = (doc: Doc, path: string): void => {
  const cut = path.lastIndexOf('.');
  const container = cut < 0 ? doc : getPath(doc, path.slice(0, cut));
  const last = path.slice(cut + 1);
  if (Array.isArray(container)) {
    if (INDEX.test(last) && Number(last) < container.length) container[Number(last)] = null;
  } else if (isDocument(container)) delete container[last];
};

const read = (container: Container, part: string): unknown =>
  Array.isArray(container) ? container[arrayIndex(part)] : ownValue(container, part);

const write = (container: Container, part: string, value: unknown): void => {
  if (!Array.isArray(container)) {
    Object.defineProperty(container, part, {value, enumerable: true, configurable: true, writable: true});
    return;
  }
  const index = arrayIndex(part);
  while (container.length < index) container.push(null);
  container[index] = value;
};

const arrayIndex = (part: string): number => {
  if (!INDEX.test(part) || Number(part) > 1_500_000)
    throw failed('PathNotViable', `Cannot create field '${part}' in an array`);
  return Number(part);
};
