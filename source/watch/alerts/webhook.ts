/** One post of one message: what is sent, where it may go, and what the answer means. Never throws for an answer. */
import {isIP} from 'node:net';
import {SesstuiError} from '../../errors.js';
import {createRedactor} from '../../redact.js';
import {clip, sanitise} from '../../sanitise.js';
import type {Alert, Message} from './types.js';
import {isShortKey, signatureOf, signingKey} from './webhook-signature.js';

/** What an answer may take, from the beginning of the connection. */
const usualTimeoutMs = 10_000;
/** What is read of a refusal, to tell it. */
const readCharacters = 200;
/** Shorter parts of an address are words, not secrets. */
const secretLength = 16;

export type Webhook = {
  /** All that is ever shown of the address: the rest may be a secret, as Slack's is. */
  host: string;
  /** What the user should know of the address and the secret before anything is sent. */
  warnings: string[];
  /** Masks the address and the secret in a text. */
  hide: (text: string) => string;
  send: (message: Message, nowMs: number, signal: AbortSignal) => Promise<Answer>;
};

/** `later`: may be sent again, not before `afterMs` where the receiver said so. */
export type Answer =
  | {kind: 'sent'}
  | {kind: 'refused'; text: string}
  | {kind: 'later'; text: string; afterMs: number | null};

const isLoopback = (hostname: string): boolean => {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
};

const addressOf = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : null;
  // The text itself is not shown: what is wrong with it may be one letter of a secret address.
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new SesstuiError(
      'config',
      'the address of the webhook is not an http(s) URL',
      'Give --webhook an address like https://hooks.example.com/…',
    );
  return url;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const hider = (url: URL, secret: string | null): ((text: string) => string) => {
  const path = `${url.pathname}${url.search}`;
  const parts = [path, url.pathname, ...path.split(/[/?&=]/)].filter(part => part.length >= secretLength);
  return createRedactor([url.href, ...parts, url.username, url.password, ...(secret ? [secret] : [])]);
};

/** Slack takes `&`, `<` and `>` for links and mentions: a customer called <!channel> would call everyone. */
const escapeSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Slack shows the text and nothing else, so that it gets nothing else: customers are no business of a third party. */
const bodyOf = ({id, alert}: Message, isSlack: boolean): string => {
  const {
    alert: name,
    environment,
    store,
    check,
    count,
    since,
    text,
    ...more
  }: Alert = {...alert, text: escapeSlack(alert.text)};
  return JSON.stringify(
    isSlack ? {text} : {alert: name, environment, store, check, count, since, text, id, ...more},
  );
};

/** Milliseconds that `Retry-After` asks for, in seconds or as a date; null where it says nothing readable. */
export const retryAfterMs = (value: string | null, nowMs: number): number | null => {
  if (value === null) return null;
  const text = value.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
};

/** The beginning of what a refusal says. */
const beginning = async (response: Response): Promise<string> => {
  const reader = response.body?.getReader();
  if (!reader) return '';
  try {
    const {value} = await reader.read();
    return sanitise(clip(new TextDecoder().decode(value?.subarray(0, readCharacters * 4)), readCharacters));
  } catch {
    return '';
  } finally {
    await reader.cancel().catch(() => undefined);
  }
};

const meaningOf = async (response: Response, nowMs: number): Promise<Answer> => {
  const {status} = response;
  if (response.ok) {
    await response.body?.cancel().catch(() => undefined);
    return {kind: 'sent'};
  }
  const said = await beginning(response);
  const text = `answered ${status}${said ? `: ${said}` : ''}`;
  if (status >= 300 && status < 400)
    return {kind: 'refused', text: `answered ${status}: redirects are not followed`};
  if (status >= 500 || status === 408 || status === 429)
    return {kind: 'later', text, afterMs: retryAfterMs(response.headers.get('retry-after'), nowMs)};
  return {kind: 'refused', text};
};

const faultText = (error: unknown, timeoutMs: number): string => {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `no answer within ${timeoutMs / 1000} s`;
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return sanitise(
    clip(cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : 'no answer')),
  );
};

/** Throws `config` for an address or a secret that can't be used. Nothing is sent yet. */
export const openWebhook = (address: string, secret: string | null, timeoutMs = usualTimeoutMs): Webhook => {
  const url = addressOf(address);
  const {host, hostname, protocol, username, password} = url;
  const hide = hider(url, secret);
  const key = secret ? signingKey(secret) : null;
  const isSlack = hostname === 'hooks.slack.com';
  const credentials = username || password ? `${decoded(username)}:${decoded(password)}` : '';
  // fetch takes no address with a password in it, and would tell it in its error.
  url.username = '';
  url.password = '';
  const warnings: string[] = [];
  if (protocol === 'http:' && !isLoopback(hostname))
    warnings.push(`alerts go to ${host} over http: anyone on the way can read and change them; use https`);
  if (key && isShortKey(key))
    warnings.push('SESSTUI_WEBHOOK_SECRET has fewer than 24 bytes: it could be guessed');
  return {
    host,
    warnings,
    hide,
    send: async (message, nowMs, signal) => {
      const body = bodyOf(message, isSlack);
      const atSeconds = Math.floor(nowMs / 1000);
      try {
        const response = await fetch(url, {
          method: 'POST',
          redirect: 'manual',
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
          headers: {
            'content-type': 'application/json',
            'user-agent': 'sesstui',
            'webhook-id': message.id,
            'webhook-timestamp': String(atSeconds),
            ...(key && {'webhook-signature': signatureOf(key, message.id, atSeconds, body)}),
            ...(credentials && {authorization: `Basic ${Buffer.from(credentials).toString('base64')}`}),
          },
          body,
        });
        const answer = await meaningOf(response, nowMs);
        return answer.kind === 'sent' ? answer : {...answer, text: hide(answer.text)};
      } catch (error) {
        return {kind: 'later', text: hide(faultText(error, timeoutMs)), afterMs: null};
      }
    },
  };
};
