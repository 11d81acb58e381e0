import {createRequire} from 'node:module';
import {correctComparisons} from './dynamodb-conditions.js';

/** A request's or an answer's JSON. */
// biome-ignore lint/suspicious/noExplicitAny: what AWS's API holds is checked by dynalite, not described here.
export type Json = Record<string, any>;
export type Reply = {status: number; body: Json};

type Callback<T> = (error: unknown, value?: T) => void;
type Level = {
  keys(range: {gte: string; lt: string}): AsyncIterable<string>;
  iterator(range: {gt: string; lt: string; limit: number}): AsyncIterable<[string, Json]>;
};
type SubLevel = {
  get(key: string, done: Callback<Json>): void;
  put(key: string, value: Json, done: Callback<void>): void;
};
export type Store = {
  db: Level;
  tableDb: SubLevel;
  deleteIndexDb(type: string, table: string, index: string, done: Callback<void>): void;
};
type Action = (store: Store, data: Json, done: Callback<Json>) => void;
type Validation = {types: Json; custom?: unknown};

/** The functions of dynalite's `db` module that the front uses or corrects. */
export type DynaliteDb = {
  create(options: Json): Store;
  compare(operator: string, value: Json | undefined, operands: (Json | undefined)[]): boolean;
  checkConditional(data: Json, item: Json | undefined): unknown;
  queryTable(...args: unknown[]): void;
  mapPath(path: (string | number)[], item: Json): Json | undefined;
  mapPaths(paths: unknown, item: Json): Json;
  updateIndexes(store: Store, table: Json, before: Json | undefined, item: Json, done: Callback<void>): void;
};

const require = createRequire(import.meta.url);

const OPERATIONS = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'ListTables',
  'ListTagsOfResource',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'UpdateItem',
  'UpdateTable',
];

export type Engine = {
  db: DynaliteDb;
  store: Store;
  /** Answers one operation as dynalite's own server would: status 200, or an error's body with its status. */
  execute(operation: string, params: Json): Promise<Reply>;
};

export const failure = (type: string, message: string): Reply => ({
  status: 400,
  body: {__type: `com.amazonaws.dynamodb.v20120810#${type}`, message},
});

export const invalid = (message: string): Reply => ({
  status: 400,
  body: {__type: 'com.amazon.coral.validate#ValidationException', message},
});

/** An in-memory dynalite without its HTTP server, which throws out of its socket handlers when a client goes away. */
export const createEngine = (): Engine => {
  const db = require('dynalite/db') as DynaliteDb;
  correctComparisons(db);
  const validations = require('dynalite/validations');
  const store = db.create({createTableMs: 0, deleteTableMs: 0, updateTableMs: 0});
  const actions = new Map<string, {run: Action; validation: Validation}>();
  for (const operation of OPERATIONS) {
    const name = validations.toLowerFirst(operation) as string;
    actions.set(operation, {
      run: require(`dynalite/actions/${name}`),
      validation: require(`dynalite/validations/${name}`),
    });
  }

  const execute = (operation: string, params: Json): Promise<Reply> =>
    new Promise(resolve => {
      const action = actions.get(operation);
      if (!action) {
        resolve({status: 400, body: {__type: 'com.amazon.coral.service#UnknownOperationException'}});
        return;
      }
      const fail = (error: unknown) => resolve(replyOf(error));
      try {
        // The checks remove what they don't know from the object they are given: a copy keeps the request whole.
        const data = validations.checkTypes(structuredClone(params), action.validation.types);
        validations.checkValidations(data, action.validation.types, action.validation.custom, store);
        action.run(store, data, (error, body) => (error ? fail(error) : resolve({status: 200, body: body!})));
      } catch (error) {
        fail(error);
      }
    });

  return {db, store, execute};
};

const replyOf = (error: unknown): Reply => {
  const {statusCode, body} = error as {statusCode?: number; body?: Json};
  if (statusCode && body) return {status: statusCode, body};
  return {
    status: 500,
    body: {__type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message: String(error)},
  };
};
