import {failed} from './mongodb-errors.js';
import {compare} from './mongodb-order.js';
import {valuesAt} from './mongodb-paths.js';
import {type Doc, isNumeric, toNumber} from './mongodb-values.js';

/** The documents in a sort's order; what is equal keeps its order. An array counts as its smallest or greatest. */
export const sorted = <T>(rows: T[], spec: Doc, docOf: (row: T) => Doc): T[] => {
  const keys = Object.entries(spec).map(([path, direction]) => ({path, direction: directionOf(direction)}));
  if (keys.length === 0) return rows;
  const decorated = rows.map(row => ({
    row,
    values: keys.map(({path, direction}) => sortValue(docOf(row), path, direction)),
  }));
  decorated.sort((a, b) => {
    for (const [i, {direction}] of keys.entries()) {
      const order = compare(a.values[i], b.values[i]);
      if (order !== 0) return order * direction;
    }
    return 0;
  });
  return decorated.map(({row}) => row);
};

const directionOf = (direction: unknown): number => {
  const number = isNumeric(direction) ? toNumber(direction) : 0;
  if (number !== 1 && number !== -1) throw failed('BadValue', '$sort key ordering must be 1 or -1');
  return number;
};

/** What is missing sorts as null, an empty array before it. */
const sortValue = (doc: Doc, path: string, direction: number): unknown => {
  const values = valuesAt(doc, path).flatMap<unknown>(value => {
    if (Array.isArray(value)) return value.length === 0 ? [undefined] : value.map(element => element ?? null);
    return [value ?? null];
  });
  if (values.length === 0) return null;
  return values.reduce((best, value) => (compare(value, best) * direction < 0 ? value : best));
};
