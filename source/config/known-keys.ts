/** Which keys a place in the configuration knows, read from the schema itself. */
import {z} from 'zod';
import type {Path} from './problems.js';
import {configSchema} from './schema.js';
import {valueAtPath} from './tree.js';

const unwrap = (schema: z.core.$ZodType): z.core.$ZodType => {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  )
    return unwrap(schema.def.innerType);
  return schema instanceof z.ZodPipe ? unwrap(schema.def.in) : schema;
};

/** The member of a discriminated union that a value chooses. */
const chosen = (union: z.ZodDiscriminatedUnion, value: unknown): z.core.$ZodType | undefined =>
  union.def.options.find(option => {
    const object = unwrap(option);
    const discriminator = object instanceof z.ZodObject ? object.shape[union.def.discriminator] : undefined;
    return discriminator?.safeParse(valueAtPath(value, [union.def.discriminator])).success ?? false;
  });

const schemaAt = (value: unknown, path: Path): z.core.$ZodType | undefined => {
  let schema: z.core.$ZodType | undefined = configSchema;
  for (let length = 0; ; length++) {
    schema = schema && unwrap(schema);
    if (schema instanceof z.ZodDiscriminatedUnion)
      schema = chosen(schema, valueAtPath(value, path.slice(0, length)));
    if (schema === undefined || length === path.length) return schema;
    const part = path[length]!;
    if (schema instanceof z.ZodObject) schema = schema.shape[part];
    else if (schema instanceof z.ZodRecord) schema = schema.def.valueType;
    else schema = schema instanceof z.ZodArray ? schema.def.element : undefined;
  }
};

/** The keys that the map at `path` may have; empty where any name is allowed or nothing is known. */
export const knownKeys = (value: unknown, path: Path): string[] => {
  const schema = schemaAt(value, path);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
};
