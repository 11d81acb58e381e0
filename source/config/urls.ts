/** Credentials inside database addresses: what to keep out of every text, and an address without them. */
import {masked} from '../secrets.js';

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const secretParameter = /^(?:.*password|.*token|.*secret|sslkey|proxyPassword|authMechanismProperties)$/i;

/** Authority and what follows it, read without `URL`: MongoDB's addresses may name several hosts. */
const split = (url: string): {scheme: string; userInfo: string; rest: string} | null => {
  const parts = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(url);
  if (!parts) return null;
  const [, scheme, after] = parts as unknown as [string, string, string];
  // A password may hold an unescaped /, ? or # (drivers differ): all before the last @ is taken for user info,
  // unless that @ is in the query and the authority has its own.
  const authorityEnd = after.search(/[/?#]/);
  const authority = authorityEnd < 0 ? after : after.slice(0, authorityEnd);
  const at = authority.includes('@') ? authority.lastIndexOf('@') : after.lastIndexOf('@');
  return {scheme: scheme!, userInfo: at < 0 ? '' : after.slice(0, at), rest: after.slice(at + 1)};
};

/** What stands where a password would, in something that isn't quite an address: `user:password@host`. */
const secretsOfOdd = (text: string): string[] => {
  const at = text.lastIndexOf('@');
  const colon = text.indexOf(':');
  const found =
    at > colon && colon >= 0
      ? [text.slice(colon + 1, at), text.slice(text.lastIndexOf(':', at) + 1, at)]
      : [];
  return [...new Set(found.flatMap(part => [part, decoded(part)]))].filter(part => part !== '');
};

/** The secret values that an address holds, as written and decoded. */
export const urlSecrets = (url: string): string[] => {
  const parts = split(url);
  if (!parts) return secretsOfOdd(url);
  const colon = parts.userInfo.indexOf(':');
  const found = colon < 0 ? [] : [parts.userInfo.slice(colon + 1)];
  const query = parts.rest.indexOf('?');
  for (const pair of query < 0 ? [] : parts.rest.slice(query + 1).split('&')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && secretParameter.test(pair.slice(0, equals))) found.push(pair.slice(equals + 1));
  }
  return [...new Set(found.flatMap(text => [text, decoded(text)]))].filter(text => text !== '');
};

/** An address to show: user, host and path, with the password and the query masked; nothing of what isn't one. */
export const maskUrl = (url: string): string => {
  const parts = split(url);
  if (!parts) return masked;
  const user = parts.userInfo.split(':', 1)[0]!;
  const password = parts.userInfo.includes(':') ? `:${masked}` : '';
  const at = parts.userInfo === '' ? '' : '@';
  return `${parts.scheme}${user}${password}${at}${parts.rest.replace(/\?.*$/s, `?${masked}`)}`;
};
