import {failed} from './mongodb-errors.js';
import {compare, equal} from './mongodb-order.js';
import {ownValue} from './mongodb-paths.js';
import {type Doc, isDocument, isNumeric, toNumber, typeName, typesNamed} from './mongodb-values.js';

type Check = (value: unknown) => boolean;

const JSON_TYPES: Record<string, string[]> = {
  object: ['object'],
  array: ['array'],
  number: ['int', 'long', 'double', 'decimal'],
  boolean: ['bool'],
  string: ['string'],
  null: ['null'],
};

/** A test for `$jsonSchema`; throws FailedToParse for a keyword that isn't one of those below. */
export const compileSchema = (schema: unknown): ((doc: Doc) => boolean) => compile(schema);

const compile = (schema: unknown): Check => {
  if (!isDocument(schema)) throw failed('FailedToParse', '$jsonSchema must be an object');
  const checks = Object.entries(schema).map(([keyword, value]) => check(keyword, value, schema));
  return value => checks.every(holds => holds(value));
};

const check = (keyword: string, value: unknown, schema: Doc): Check => {
  switch (keyword) {
    case 'title':
    case 'description':
      return () => true;
    case 'bsonType':
    case 'type':
      return isOfType(keyword, value);
    case 'required':
      return onDocuments(doc => (value as string[]).every(name => ownValue(doc, name) !== undefined));
    case 'properties':
      return properties(value as Doc);
    case 'additionalProperties':
      return additional(value, Object.keys((schema.properties as Doc | undefined) ?? {}));
    case 'enum':
      return found => (value as unknown[]).some(allowed => equal(allowed, found));
    case 'allOf':
    case 'anyOf':
    case 'oneOf':
      return combined(keyword, (value as unknown[]).map(compile));
    case 'not': {
      const holds = compile(value);
      return found => !holds(found);
    }
    case 'items': {
      const holds = compile(value);
      return found => !Array.isArray(found) || found.every(holds);
    }
    default:
      return limit(keyword, value);
  }
};

const limit = (keyword: string, value: unknown): Check => {
  if (keyword === 'pattern') {
    const regex = new RegExp(String(value));
    return found => typeof found !== 'string' || regex.test(found);
  }
  if (keyword === 'minimum') return found => !isNumeric(found) || compare(found, value) >= 0;
  if (keyword === 'maximum') return found => !isNumeric(found) || compare(found, value) <= 0;
  const bound = isNumeric(value) ? toNumber(value) : Number.NaN;
  if (keyword === 'minLength') return found => typeof found !== 'string' || [...found].length >= bound;
  if (keyword === 'maxLength') return found => typeof found !== 'string' || [...found].length <= bound;
  if (keyword === 'minItems') return found => !Array.isArray(found) || found.length >= bound;
  if (keyword === 'maxItems') return found => !Array.isArray(found) || found.length <= bound;
  throw failed('FailedToParse', `Unknown or unsupported $jsonSchema keyword: ${keyword}`);
};

const isOfType = (keyword: string, value: unknown): Check => {
  const names = (Array.isArray(value) ? value : [value]).map(name => {
    const types = keyword === 'type' ? JSON_TYPES[String(name)] : typesNamed(name);
    if (!types)
      throw failed('FailedToParse', `$jsonSchema keyword '${keyword}': unknown type ${String(name)}`);
    return types;
  });
  const wanted = new Set(names.flat());
  return found => wanted.has(typeName(found));
};

const onDocuments =
  (holds: (doc: Doc) => boolean): Check =>
  value =>
    !isDocument(value) || holds(value);

const properties = (schemas: Doc): Check => {
  const checks = Object.entries(schemas).map(([name, schema]) => ({name, holds: compile(schema)}));
  return onDocuments(doc =>
    checks.every(({name, holds}) => {
      const value = ownValue(doc, name);
      return value === undefined || holds(value);
    }),
  );
};

const additional = (value: unknown, known: string[]): Check => {
  const holds = value === false ? () => false : value === true ? () => true : compile(value);
  return onDocuments(doc =>
    Object.entries(doc).every(([name, found]) => known.includes(name) || holds(found)),
  );
};

const combined = (keyword: string, checks: Check[]): Check => {
  const count = (value: unknown) => checks.filter(holds => holds(value)).length;
  if (keyword === 'allOf') return value => count(value) === checks.length;
  return keyword === 'anyOf' ? value => count(value) > 0 : value => count(value) === 1;
};
