/** Which columns are secret (contract: Configuration), and values with what is in them masked. */
import type {Json} from './values.js';

export const masked = '••••';

/** A word of a name that ends in one of these makes the column secret: `token`, and `accesstoken` as well. */
const secretWord =
  /(?:tokens?|passwords?|passwds?|passphrases?|passcodes?|secrets?|cookies?|credentials?|authorization|authorisation|envelopes?|apikeys?|privatekeys?|secretkeys?|accesskeys?)$/;
const secretWholeWord = /^(?:pwd|otp|totp|jwt|bearer|salt|csrf|xsrf|pass|creds?)$/;
/** Two words that are secret only together; `device_key` and `session_key` are not. */
const secretPair =
  /(?:^| )(?:(?:api|private|secret|access|signing|encryption) keys?|(?:recovery|backup) codes?)(?: |$)/;
/** `token_expires_at`, `tokenType`, `password_count` tell about a secret without being one. */
const aboutSecret = / (?:at|type|count|length|expiry|expires|in)$/;

const wordsOf = (name: string): string =>
  name
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .toLowerCase();

const squeeze = (name: string): string => wordsOf(name).replaceAll(' ', '');

const byPattern = new Map<string, boolean>();

const matchesPattern = (name: string): boolean => {
  const words = wordsOf(name);
  if (aboutSecret.test(words)) return false;
  if (secretPair.test(words)) return true;
  return words.split(' ').some(word => secretWord.test(word) || secretWholeWord.test(word));
};

/**
 * Whether a column's values are masked: by the pattern of its name in snake, camel or kebab case, or because
 * `extra` (the check's `secrets`) names it.
 */
export const isSecretColumn = (name: string, extra: readonly string[] = []): boolean => {
  let secret = byPattern.get(name);
  if (secret === undefined) {
    secret = matchesPattern(name);
    // Attribute names of a store without a schema have no end; those of its tables do, more or less.
    if (byPattern.size < 10_000) byPattern.set(name, secret);
  }
  return secret || (extra.length > 0 && extra.some(item => squeeze(item) === squeeze(name)));
};

/**
 * The values with secret ones as `••••`, in nested maps and lists too; null stays null. `extra` may name a
 * nested attribute by its own name or by its dotted path.
 */
export const maskValues = (
  values: Record<string, Json>,
  extra: readonly string[] = [],
): Record<string, Json> => maskMap(values, extra, '');

const maskMap = (
  values: Record<string, Json>,
  extra: readonly string[],
  prefix: string,
): Record<string, Json> => {
  // Without a prototype: a column may be named `constructor`, and a row may not have it.
  const result: Record<string, Json> = Object.create(null);
  for (const [name, value] of Object.entries(values)) {
    const path = prefix + name;
    const secret = isSecret(name, path, extra);
    result[name] = secret && value !== null ? masked : maskInside(value, extra, `${path}.`);
  }
  return result;
};

const isSecret = (name: string, path: string, extra: readonly string[]): boolean =>
  isSecretColumn(name, extra) || (path !== name && extra.includes(path));

const maskInside = (value: Json, extra: readonly string[], prefix: string): Json => {
  if (Array.isArray(value)) return value.map(item => maskInside(item, extra, prefix));
  return value !== null && typeof value === 'object' ? maskMap(value, extra, prefix) : value;
};

/**
 * The texts that `maskValues` would hide: a store's error may quote one (`invalid input syntax for type uuid: "…"`),
 * and is masked with these as canaries.
 */
export const secretTexts = (values: Record<string, Json>, extra: readonly string[] = []): string[] =>
  textsOf(values, extra, '', false);

const textsOf = (value: Json, extra: readonly string[], prefix: string, secret: boolean): string[] => {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap(item => textsOf(item, extra, prefix, secret));
  if (typeof value !== 'object') return secret ? [String(value)] : [];
  return Object.entries(value).flatMap(([name, item]) => {
    const path = prefix + name;
    return textsOf(item, extra, `${path}.`, secret || isSecret(name, path, extra));
  });
};
