/** How the one row that a put means is found: by what the server keeps unique. Pure. */
import type {NewValue, Put, TableShape} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {isNothing} from '../../source/forms.js';
import {isAbsent, type Value} from '../../source/values.js';
import {attributeName, type Filter} from './filters.js';
import {bsonOfValue} from './values.js';

type Set = Record<string, NewValue>;

/** The filter of the one document that can be the row; null for a row that is always new. */
export type Target = {filter: Filter | null};

const given = (create: Set, name: string): Value => {
  const wanted = Object.hasOwn(create, name) ? create[name]! : {value: undefined};
  return 'value' in wanted ? wanted.value : undefined;
};

/** `$eq` alone would also find an array that holds the value. */
const equal = (create: Set, name: string): Filter => ({
  [name]: {$eq: bsonOfValue(given(create, name)), $not: {$type: 'array'}},
});

/**
 * By `_id` where the new row has one, else by the attributes of a unique index. Throws `unsupported` where the
 * server would let two callers make two rows. `shapeOf` is asked only where there is no `_id`.
 */
export const targetOf = async (
  request: Pick<Put, 'table' | 'where' | 'create'>,
  shapeOf: () => Promise<TableShape | null>,
): Promise<Target> => {
  const {table, create} = request;
  if (!isAbsent(given(create, '_id'))) return {filter: {_id: {$eq: bsonOfValue(given(create, '_id'))}}};
  if (isNothing(request.where)) return {filter: null};
  const indexes = (await shapeOf())?.indexes ?? [];
  const index = indexes.find(
    ({unique, attributes}) => unique && attributes.every(name => !isAbsent(given(create, name))),
  );
  if (index) return {filter: Object.assign({}, ...index.attributes.map(name => equal(create, name)))};
  throw new SesstuiError(
    'unsupported',
    `Nothing in ${table} keeps two callers from making this row twice.`,
    'Give the row an _id, or make a unique index on attributes that it has.',
  );
};

/** Throws `usage` for names that MongoDB would read as something else, and for an `_id` among the updates. */
export const refuseNames = (create: Set, update: Set | null): void => {
  for (const name of [...Object.keys(create), ...Object.keys(update ?? {})])
    try {
      attributeName(name);
    } catch (error) {
      throw new SesstuiError('usage', (error as Error).message, 'Give the attribute another name.');
    }
  if (Object.keys(update ?? {}).some(name => name.split('.')[0] === '_id'))
    throw new SesstuiError(
      'usage',
      'The _id of a document is its key and can not be among the updates.',
      'Leave it to `create`.',
    );
};
