/** Whether a value follows a JSON Schema: the part of draft 2020-12 that the configuration's schema uses, and no more. */
type Node = {[key: string]: unknown};

const isMap = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const types: Record<string, (value: unknown) => boolean> = {
  string: value => typeof value === 'string',
  number: value => typeof value === 'number',
  integer: value => Number.isInteger(value),
  boolean: value => typeof value === 'boolean',
  null: value => value === null,
  array: Array.isArray,
  object: isMap,
};

type Rule = (argument: never, value: never, node: Node, root: Node) => boolean;

const rules: Record<string, Rule> = {
  $ref: (ref: string, value, _, root) =>
    follows((root.$defs as Node)[ref.replace('#/$defs/', '')] as Node, value, root),
  type: (name: string, value) => types[name]!(value),
  const: (expected, value) => expected === value,
  enum: (options: unknown[], value) => options.includes(value),
  anyOf: (options: Node[], value, _, root) => options.some(option => follows(option, value, root)),
  oneOf: (options: Node[], value, _, root) =>
    options.filter(option => follows(option, value, root)).length === 1,
  not: (inner: Node, value, _, root) => !follows(inner, value, root),
  pattern: (pattern: string, value) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  minLength: (least: number, value: string) => typeof value !== 'string' || value.length >= least,
  minItems: (least: number, value: unknown[]) => !Array.isArray(value) || value.length >= least,
  minimum: (least: number, value: number) => typeof value !== 'number' || value >= least,
  maximum: (most: number, value: number) => typeof value !== 'number' || value <= most,
  exclusiveMinimum: (least: number, value: number) => typeof value !== 'number' || value > least,
  items: (inner: Node, value, _, root) =>
    !Array.isArray(value) || (value as unknown[]).every(item => follows(inner, item, root)),
  required: (names: string[], value) =>
    !isMap(value) || names.every(name => Object.hasOwn(value as Node, name)),
  properties: (known: Record<string, Node>, value, _, root) =>
    !isMap(value) ||
    Object.entries(value as Node).every(
      ([name, item]) => !Object.hasOwn(known, name) || follows(known[name]!, item, root),
    ),
  propertyNames: (inner: Node, value, _, root) =>
    !isMap(value) || Object.keys(value).every(name => follows(inner, name, root)),
  additionalProperties: (inner: Node | boolean, value, node, root) =>
    !isMap(value) ||
    Object.entries(value as Node)
      .filter(([name]) => !Object.hasOwn((node.properties ?? {}) as Node, name))
      .every(([, item]) => (typeof inner !== 'boolean' ? follows(inner, item, root) : inner)),
};

const silent = new Set(['$schema', '$defs', 'title', 'description', 'default']);

/** Throws for a keyword that it doesn't know, so that nothing of a schema is passed over. */
export const follows = (node: Node, value: unknown, root: Node = node): boolean =>
  Object.entries(node)
    .filter(([keyword]) => !silent.has(keyword))
    .every(([keyword, argument]) => {
      const rule = rules[keyword];
      if (!rule) throw new Error(`unknown keyword ${keyword}`);
      return rule(argument as never, value as never, node, root);
    });
