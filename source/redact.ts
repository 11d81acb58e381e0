/** The one redactor for logs, errors, audit and crashes (S16): no credential leaves through a text. */
import {masked} from './secrets.js';

/**
 * Every repetition has a bound: what is redacted may be long and hostile, and a pattern without one would take time
 * that grows with the square of its length.
 */
const userInfo = /(:\/\/[^\s/?#@:'"`]{0,256}):([^\s/?#'"`]{0,4096})@/g;
/** A password with an unescaped / ? or # in it; `host:5432/…` is not one. */
const oddUserInfo = /(:\/\/[^\s/?#@:'"`]{1,256}):(?!\d{1,5}[/?#])(?!•)([^\s@'"`]{1,4096})@/g;

const secretWords =
  'password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|(?:session|security|access|refresh|auth)[_-]?token|signature';
const secretName = `[\\w-]{0,64}(?:${secretWords})[\\w-]{0,64}`;
const quotedName = `(?:${secretName}|pwd|token|authorization|cookies?)`;
const quotedPair = new RegExp(
  `((["'])${quotedName}\\2\\s{0,8}[:=]\\s{0,8})(["'])(?:\\\\.|(?!\\3)[^\\\\])*\\3`,
  'gi',
);
const escapedPair = new RegExp(`(\\\\"${quotedName}\\\\"\\s{0,8}:\\s{0,8})\\\\"(?:(?!\\\\").)*\\\\"`, 'gi');
/** What comes before the word in its name (`aws_` of `aws_secret_access_key`) need not match: it is kept anyway. */
const bareName = `(?:${secretWords})[\\w-]{0,64}|(?<![a-z])pwd`;
const bareValue = `("(?:\\\\.|[^"\\\\])*"|'(?:\\\\.|[^'\\\\])*'|[^\\s&;,"')}\\]]+)`;
const barePair = new RegExp(
  `((?:${bareName}|(?<![a-z])token)\\s{0,8}=\\s{0,8}|(?:${bareName})\\s{0,8}:\\s{1,8})(?!["']?•)${bareValue}`,
  'gi',
);

const patterns: [RegExp, string][] = [
  [/-----BEGIN ([A-Z ]{0,40})PRIVATE KEY-----[\s\S]*?(?:-----END \1PRIVATE KEY-----|$)/g, masked],
  [userInfo, `$1:${masked}@`],
  [oddUserInfo, `$1:${masked}@`],
  [/\b(Bearer|Basic|Negotiate)\s{1,8}[\w.~+/=-]{8,}/gi, `$1 ${masked}`],
  [/\beyJ[\w-]{5,2048}\.[\w-]+(?:\.[\w-]*)?/g, masked],
  [/\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b/g, masked],
  [escapedPair, `$1\\"${masked}\\"`],
  [quotedPair, `$1$3${masked}$3`],
  [barePair, `$1${masked}`],
];

const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

const percent = (character: string): string =>
  Array.from(new TextEncoder().encode(character), byte =>
    `%${byte.toString(16).padStart(2, '0')}`.replace(/[a-f]/g, hex => `[${hex}${hex.toUpperCase()}]`),
  ).join('');

/** A character as it is, percent-encoded, or as JSON writes it: a canary is found in any mixture of these. */
const spellings = (character: string): string => {
  const json = JSON.stringify(character).slice(1, -1);
  const forms = [escapeRegex(character), percent(character)];
  if (json !== character) forms.push(escapeRegex(json));
  if (character === ' ') forms.push('\\+');
  return `(?:${forms.join('|')})`;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const shortestCanary = 4;
/** Passwords that are no secret, and whose masking would take the program's own words out of every message. */
const ownWords = new Set(['postgres', 'postgresql', 'mongodb', 'dynamodb', 'sesstui', 'localhost']);

/** Shorter ones have too few characters of their own in Base64. */
const shortestInBase64 = 8;

/**
 * What a text is in Base64, in the middle of something longer as well: it may begin at any of three places of a
 * group, and the characters that it shares with its neighbours are left out.
 */
const base64Spellings = (text: string): string[] => {
  const bytes = Buffer.from(text);
  if (bytes.length < shortestInBase64) return [];
  return [0, 1, 2].flatMap(shift => {
    const own = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const from = shift === 0 ? 0 : shift + 1;
    const middle = own.slice(from, Math.floor(((shift + bytes.length) * 8) / 6));
    return [middle, middle.replaceAll('+', '-').replaceAll('/', '_')].map(escapeRegex);
  });
};

const canaryPattern = (canaries: readonly string[]): RegExp | null => {
  const all = new Set(canaries.flatMap(canary => [canary, decoded(canary)]));
  const long = [...all]
    .filter(text => [...text].length >= shortestCanary && !ownWords.has(text))
    .sort((a, b) => b.length - a.length);
  if (long.length === 0) return null;
  const plain = long.map(text => Array.from(text, spellings).join(''));
  const encoded = [...new Set(long.flatMap(base64Spellings))].map(text => `${text}(?:[\\w+/-]={0,2})?`);
  return new RegExp([...plain, ...encoded].join('|'), 'g');
};

/**
 * A function that masks, in any text: the canaries (secrets that the configuration is known to hold, of at least
 * 4 characters), also percent-encoded, JSON-escaped and (from 8 bytes) in Base64; passwords in URLs of any scheme;
 * `password=…` and its like; AWS keys; bearer tokens; private keys. Redacting twice changes nothing more.
 */
export const createRedactor = (canaries: readonly string[] = []): ((text: string) => string) => {
  const canary = canaryPattern(canaries);
  return text => {
    let result = canary ? text.replace(canary, masked) : text;
    for (const [pattern, replacement] of patterns) result = result.replace(pattern, replacement);
    return result;
  };
};
