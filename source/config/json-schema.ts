/** The JSON Schema of the configuration, for editors; made from the schema that validates it. */
import {z} from 'zod';
import {configSchema} from './schema.js';

type Node = {[key: string]: unknown};

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** In the file, any value may be a variable; what it holds is checked when it is loaded. */
const variable: Node = {$ref: '#/$defs/variable'};

const notes = new Set(['description', 'default']);

/** A value that text alone doesn't satisfy: a number, a boolean, a pattern, a choice. */
const isStrictScalar = (node: Node): boolean =>
  ['number', 'integer', 'boolean'].includes(String(node.type)) ||
  (node.type === 'string' && ('pattern' in node || 'enum' in node || 'format' in node));

const orVariable = (node: Node): Node => {
  const outside = Object.fromEntries(Object.entries(node).filter(([key]) => notes.has(key)));
  const inside = Object.fromEntries(Object.entries(node).filter(([key]) => !notes.has(key)));
  return {...outside, anyOf: [inside, variable]};
};

/** `table` and `collection` are one key with two spellings. */
const withCollection = (node: Node): Node => {
  const {properties, required} = node as {properties: Node; required?: string[]};
  if (!('table' in properties)) return node;
  const rest = (required ?? []).filter(key => key !== 'table');
  const {default: _, ...collection} = properties.table as Node;
  const result: Node = {
    ...node,
    properties: {...properties, collection: {...collection, description: 'Another spelling of table'}},
  };
  delete result.required;
  if (rest.length > 0) result.required = rest;
  if (rest.length !== (required ?? []).length)
    result.oneOf = [{required: ['table']}, {required: ['collection']}];
  else result.not = {required: ['table', 'collection']};
  return result;
};

const adapt = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(adapt);
  if (!isNode(value)) return value;
  const node: Node = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'properties' && isNode(inner))
      node.properties = Object.fromEntries(
        Object.entries(inner).map(([name, property]) => [name, adapt(property)]),
      );
    // Names of stores and default values are not values of the file.
    else node[key] = key === 'propertyNames' || key === 'default' ? inner : adapt(inner);
  }
  if (isNode(node.properties)) return withCollection(node);
  return isStrictScalar(node) ? orVariable(node) : node;
};

/** JSON Schema (draft 2020-12) of what a configuration file may hold before its variables are filled in. */
export const generateJsonSchema = (): Node => {
  const {$schema, ...schema} = adapt(
    z.toJSONSchema(configSchema, {io: 'input', target: 'draft-2020-12'}),
  ) as Node;
  return {
    $schema,
    title: 'The configuration of sesstui',
    ...schema,
    properties: {
      $schema: {type: 'string', description: 'For editors: this schema'},
      ...(schema.properties as Node),
    },
    $defs: {
      ...(schema.$defs as Node | undefined),
      variable: {
        type: 'string',
        pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(?::-.*)?\\}',
        description: `An environment variable: \${NAME} or \${NAME:-default}`,
      },
    },
  };
};

/** The text of docs/sesstui.schema.json, which `npm run docs` writes. */
export const schemaText = (): string => `${JSON.stringify(generateJsonSchema(), null, 2)}\n`;
