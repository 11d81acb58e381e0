/** The session id of a conversation: what is one, and a new one in the check's format. */
import {randomBytes, randomUUID} from 'node:crypto';
import type {NullIdsConfig} from '../config/schema.js';
import {SesstuiError} from '../errors.js';
import type {Pred} from '../forms.js';
import {isAbsent, type Value, type ValueMap} from '../values.js';

type Config = Pick<NullIdsConfig, 'id' | 'idFormat'>;

const formats = {uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, hex: /^[0-9a-f]+$/i};

/** A UUID of version 4 (RFC 9562), or 16 random bytes in hex. */
export const newId = ({idFormat}: Config): string =>
  idFormat === 'uuid' ? randomUUID() : randomBytes(16).toString('hex');

const isValid = ({idFormat}: Config, value: Value): value is string =>
  typeof value === 'string' && formats[idFormat].test(value);

/** The id that the caller gave, if any; throws `usage`, without the id, for one that the check would find fault with. */
export const idGiven = (config: Config, given: ValueMap): string | null => {
  if (!Object.hasOwn(given, config.id)) return null;
  const value = given[config.id];
  if (isValid(config, value)) return value;
  throw new SesstuiError(
    'usage',
    `"${config.id}" is not a ${config.idFormat === 'uuid' ? 'UUID' : 'text of hex digits'}`,
    `Leave "${config.id}" out: the conversation is given one.`,
  );
};

/** There is no id: null, missing or empty. */
export const hasNone = (value: Value): boolean => isAbsent(value) || value === '';

/** The same as a condition. */
export const withoutId = ({id}: Config): Pred => ({
  any: (['null', 'missing', 'empty'] as const).map(is => ({is, of: {attr: id}})),
});

/** What the check finds wrong with an id that is left alone; null where it finds nothing. */
export const faultOf = (config: Config, value: Value): string | null => {
  if (typeof value !== 'string') return 'wrong-type-id';
  return config.idFormat === 'uuid' && !isValid(config, value) ? 'wrong-format-id' : null;
};
