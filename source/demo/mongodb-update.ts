import {Int32, Timestamp} from 'bson';
import {runPipeline} from './mongodb-aggregate.js';
import {failed} from './mongodb-errors.js';
import {compileFilter} from './mongodb-match.js';
import {compare, equal} from './mongodb-order.js';
import {cloned, getPath, setPath, unsetPath} from './mongodb-paths.js';
import {sorted} from './mongodb-sort.js';
import {
  type Doc,
  isDocument,
  isNumeric,
  type Numeric,
  numberOfType,
  toNumber,
  typeName,
} from './mongodb-values.js';

/** What an update makes of a document. `inserting` says that it is made for an upsert. */
export type Update = (doc: Doc, inserting: boolean) => Doc;

/** Compiles operators, a pipeline or a replacement (`isReplacement` says which of the first and last it was). */
export const compileUpdate = (update: unknown): {apply: Update; isReplacement: boolean} => {
  if (Array.isArray(update))
    return {apply: doc => runPipeline([doc], update, () => [])[0] ?? doc, isReplacement: false};
  if (!isDocument(update))
    throw failed('FailedToParse', 'Update argument must be either an object or an array');
  const names = Object.keys(update);
  if (!names.some(name => name.startsWith('$')))
    return {
      apply: doc =>
        Object.hasOwn(update, '_id') || doc._id === undefined ? update : {_id: doc._id, ...update},
      isReplacement: true,
    };
  return {apply: operators(update), isReplacement: false};
};

const operators = (update: Doc): Update => {
  const changes = Object.entries(update).flatMap(([name, fields]) => {
    const apply = OPERATORS[name];
    if (!apply) throw failed('FailedToParse', `Unknown modifier: ${name}`);
    if (!isDocument(fields))
      throw failed('FailedToParse', `Modifiers operate on fields, not on ${String(fields)}`);
    return Object.entries(fields).map(([path, value]) => ({name, path, value, apply}));
  });
  rejectConflicts(changes.map(({path}) => path));
  // As in MongoDB, fields are taken in the order of their names, whatever operator names them.
  changes.sort((a, b) => compare(a.path, b.path));
  return (before, inserting) => {
    const doc = cloned(before);
    for (const {name, path, value, apply} of changes)
      if (name !== '$setOnInsert' || inserting) apply(doc, path, value);
    return doc;
  };
};

const rejectConflicts = (paths: string[]): void => {
  for (const path of paths)
    if (path.split('.').some(part => part === '' || part.startsWith('$')))
      throw failed('BadValue', `The path '${path}' is not supported`);
  for (const [i, a] of paths.entries())
    for (const b of paths.slice(i + 1))
      if (a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`))
        throw failed(
          'ConflictingUpdateOperators',
          `Updating the path '${a}' would create a conflict at '${b}'`,
        );
};

type Operator = (doc: Doc, path: string, value: unknown) => void;

const WIDTHS = ['int', 'long', 'double', 'decimal'];

/** The sum or product in the wider of the two types; an int that grows too large becomes a long. */
const arithmetic =
  (
    name: string,
    compute: (a: number, b: number) => number,
    exactly: (a: bigint, b: bigint) => bigint,
  ): Operator =>
  (doc, path, value) => {
    if (!isNumeric(value))
      throw failed('TypeMismatch', `Cannot ${name} with non-numeric argument: {${path}}`);
    const old = getPath(doc, path) ?? (getPath(doc, path) === null ? null : new Int32(0));
    if (!isNumeric(old))
      throw failed('TypeMismatch', `Cannot apply ${name} to a value of non-numeric type ${typeName(old)}`);
    const type = [typeName(old), typeName(value)].sort((a, b) => WIDTHS.indexOf(b) - WIDTHS.indexOf(a))[0]!;
    if (type === 'double' || type === 'decimal') {
      setPath(doc, path, numberOfType(type, compute(toNumber(old), toNumber(value))));
      return;
    }
    const result = exactly(BigInt((old as Numeric).toString()), BigInt(value.toString()));
    setPath(
      doc,
      path,
      numberOfType(type === 'int' && BigInt.asIntN(32, result) === result ? 'int' : 'long', result),
    );
  };

const bounded =
  (better: (order: number) => boolean): Operator =>
  (doc, path, value) => {
    const old = getPath(doc, path);
    if (old === undefined || better(compare(value, old))) setPath(doc, path, value);
  };

const arrayAt = (doc: Doc, path: string, name: string): unknown[] => {
  const old = getPath(doc, path);
  if (old === undefined) return [];
  if (!Array.isArray(old)) throw failed('BadValue', `The field '${path}' must be an array for ${name}`);
  return old;
};

const eachOf = (value: unknown): unknown[] =>
  isDocument(value) && Array.isArray(value.$each) ? value.$each : [value];

const push: Operator = (doc, path, value) => {
  const list = [...arrayAt(doc, path, '$push')];
  const {$position, $slice, $sort} = isDocument(value) && '$each' in value ? value : ({} as Doc);
  list.splice(isNumeric($position) ? toNumber($position) : list.length, 0, ...eachOf(value));
  let next = list;
  if (isDocument($sort)) next = sorted(next, $sort, element => element as Doc);
  else if (isNumeric($sort)) next = next.sort((a, b) => compare(a, b) * toNumber($sort));
  if (isNumeric($slice))
    next = toNumber($slice) < 0 ? next.slice(toNumber($slice)) : next.slice(0, toNumber($slice));
  setPath(doc, path, next);
};

const addToSet: Operator = (doc, path, value) => {
  const list = [...arrayAt(doc, path, '$addToSet')];
  for (const added of eachOf(value)) if (!list.some(known => equal(known, added))) list.push(added);
  setPath(doc, path, list);
};

const pull: Operator = (doc, path, value) => {
  if (getPath(doc, path) === undefined) return;
  const onDocument = isDocument(value) && !Object.keys(value)[0]?.startsWith('$');
  const test = compileFilter(onDocument ? value : {element: value});
  const keep = (element: unknown) => !(onDocument ? isDocument(element) && test(element) : test({element}));
  setPath(doc, path, arrayAt(doc, path, '$pull').filter(keep));
};

const OPERATORS: Record<string, Operator> = {
  $set: setPath,
  $setOnInsert: setPath,
  $unset: unsetPath,
  $inc: arithmetic(
    '$inc',
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  $mul: arithmetic(
    '$mul',
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  $min: bounded(order => order < 0),
  $max: bounded(order => order > 0),
  $currentDate: (doc, path, value) => {
    const asTimestamp = isDocument(value) && value.$type === 'timestamp';
    setPath(doc, path, asTimestamp ? new Timestamp({t: Math.floor(Date.now() / 1000), i: 1}) : new Date());
  },
  $rename: (doc, path, value) => {
    const old = getPath(doc, path);
    if (old === undefined) return;
    unsetPath(doc, path);
    setPath(doc, String(value), old);
  },
  $push: push,
  $addToSet: addToSet,
  $pull: pull,
  $pullAll: (doc, path, value) => {
    if (getPath(doc, path) === undefined) return;
    const gone = value as unknown[];
    setPath(
      doc,
      path,
      arrayAt(doc, path, '$pullAll').filter(element => !gone.some(other => equal(other, element))),
    );
  },
  $pop: (doc, path, value) => {
    if (getPath(doc, path) === undefined) return;
    const list = arrayAt(doc, path, '$pop');
    setPath(doc, path, toNumber(value as Numeric) < 0 ? list.slice(1) : list.slice(0, -1));
  },
};
