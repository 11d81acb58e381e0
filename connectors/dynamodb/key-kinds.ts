/** What kind of value an attribute has, as the key of an index sees it. Pure. */
import type {Attribute} from './attributes.js';
import type {KeyType} from './tables.js';

/** The longest value of a hash and of a range key, in bytes. */
export const longestKeys = [2048, 1024];

export const isKeyType = (type: string): type is KeyType => ['S', 'N', 'B'].includes(type);

/**
 * `S`, `empty S`, `S of more than 2048 bytes`; null for what is in no group anyhow: nothing, or NULL.
 * `place`: 0 for a hash key, 1 for a range key.
 */
export const kindOf = (value: Attribute | undefined, place: number): string | null => {
  if (!value || 'NULL' in value) return null;
  const [type, content] = Object.entries(value)[0] as [string, unknown];
  if (!isKeyType(type)) return type;
  const bytes = Buffer.byteLength(content as string, type === 'B' ? 'base64' : 'utf8');
  if (bytes === 0) return `empty ${type}`;
  return bytes > longestKeys[place]! ? `${type} of more than ${longestKeys[place]} bytes` : type;
};
