/** The one redactor for logs, errors, audit and crashes (S16): no credential leaves through a text. */
import {masked} from './secrets.js';

const userInfo = /([a-z][a-z0-9+.-]*:\/\/)([^\s/?#@:'"`]*):([^\s/?#'"`]*)@/gi;
/** A password with an unescaped / ? or # in it; `host:5432/…` is not one. */
const oddUserInfo = /([a-z][a-z0-9+.-]*:\/\/[^\s/?#@:'"`]+):(?!\d{1,5}[/?#])(?!•)([^\s@'"`]+)@/gi;

const secretName =
  '[\\w-]*(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|session[_-]?token|security-token|access[_-]?token|refresh[_-]?token|auth[_-]?token|signature)[\\w-]*';
const quotedPair = new RegExp(
  `((["'])(?:${secretName}|pwd|token|authorization|cookies?)\\2\\s*[:=]\\s*)(["'])(?:\\\\.|(?!\\3)[^\\\\])*\\3`,
  'gi',
);
const escapedPair = new RegExp(
  `(\\\\"(?:${secretName}|pwd|token|authorization|cookies?)\\\\"\\s*:\\s*)\\\\"(?:(?!\\\\").)*\\\\"`,
  'gi',
);
const barePair = new RegExp(
  `(\\b(?:${secretName}|pwd|token)\\s*=\\s*|\\b(?:${secretName}|pwd)\\s*:\\s+)(?!["']?•)("(?:\\\\.|[^"\\\\])*"|'(?:\\\\.|[^'\\\\])*'|[^\\s&;,"')}\\]]+)`,
  'gi',
);

const patterns: [RegExp, string][] = [
  [/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?(?:-----END \1PRIVATE KEY-----|$)/g, masked],
  [userInfo, `$1$2:${masked}@`],
  [oddUserInfo, `$1:${masked}@`],
  [/\b(Bearer|Basic|Negotiate)\s+[\w.~+/=-]{8,}/gi, `$1 ${masked}`],
  [/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g, masked],
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

const canaryPattern = (canaries: readonly string[]): RegExp | null => {
  const all = new Set(canaries.flatMap(canary => [canary, decoded(canary)]));
  const long = [...all]
    .filter(text => [...text].length >= shortestCanary)
    .sort((a, b) => b.length - a.length);
  if (long.length === 0) return null;
  return new RegExp(long.map(text => Array.from(text, spellings).join('')).join('|'), 'g');
};

/**
 * A function that masks, in any text: the canaries (secrets that the configuration is known to hold, of at least
 * 4 characters), also percent-encoded and JSON-escaped; passwords in URLs of any scheme; `password=…` and its
 * like; AWS keys; bearer tokens; private keys. Redacting twice changes nothing more.
 */
export const createRedactor = (canaries: readonly string[] = []): ((text: string) => string) => {
  const canary = canaryPattern(canaries);
  return text => {
    let result = canary ? text.replace(canary, masked) : text;
    for (const [pattern, replacement] of patterns) result = result.replace(pattern, replacement);
    return result;
  };
};
