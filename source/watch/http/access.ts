/** Who is answered: tokens, how often one may ask, and requests that another site makes a browser send. */
import {createHash, timingSafeEqual} from 'node:crypto';
import type {IncomingHttpHeaders} from 'node:http';
import {RateLimiterMemory, type RateLimiterRes} from 'rate-limiter-flexible';
import {SesstuiError} from '../../errors.js';
import {limitKey} from './address.js';
import {type Answer, refusal} from './answers.js';
import type {Limits} from './limits.js';

const shortestToken = 16;

/** Throws `config` for a token that could be guessed, or that no header can carry. */
export const requireToken = (token: string | null): void => {
  if (token === null) return;
  const fault =
    token.length < shortestToken
      ? `is shorter than ${shortestToken} characters`
      : /^[\x21-\x7e]+$/.test(token)
        ? null
        : 'has characters that a header can not carry';
  if (fault)
    throw new SesstuiError(
      'config',
      `the token of SESSTUI_TOKEN ${fault}`,
      'Make one with: openssl rand -hex 32. Unset it to serve only the page, /metrics and /healthz.',
    );
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const retryAfter = (limited: RateLimiterRes): Record<string, string> => ({
  'Retry-After': String(Math.max(1, Math.ceil(limited.msBeforeNext / 1000))),
});

const noToken = refusal(
  403,
  'refused',
  'no token is set, so this is closed',
  'Start sesstui watch with SESSTUI_TOKEN set to at least 16 characters, and send it as Authorization: Bearer TOKEN.',
);

const wrongToken = (text: string): Answer =>
  refusal(401, 'refused', text, 'Send the token of SESSTUI_TOKEN as Authorization: Bearer TOKEN.', {
    'WWW-Authenticate': 'Bearer realm="sesstui"',
  });

export type Access = {
  /** Counts a request of this address; an answer once there are too many. */
  count(address: string): Promise<Answer | null>;
  /** An answer unless the request brings the token. An address with too many wrong ones is not listened to for a while. */
  refuseToken(headers: IncomingHttpHeaders, address: string): Promise<Answer | null>;
};

const limitedBy = (limiter: RateLimiterMemory, key: string): Promise<RateLimiterRes | null> =>
  limiter.consume(key).then(
    () => null,
    (limited: RateLimiterRes) => limited,
  );

export const openAccess = (token: string | null, limits: Limits): Access => {
  const requests = new RateLimiterMemory({points: limits.requestsAMinute, duration: 60});
  const guesses = new RateLimiterMemory({
    points: limits.wrongTokensAMinute,
    duration: 60,
    blockDuration: limits.lockedOutSeconds,
  });
  // Compared by hashes: of equal length whatever was sent, so that the comparison tells nothing by its time.
  const expected = token === null ? null : digest(token);
  return {
    count: async address => {
      const limited = await limitedBy(requests, limitKey(address));
      return (
        limited &&
        refusal(
          429,
          'throttled',
          'too many requests from this address',
          'Ask less often.',
          retryAfter(limited),
        )
      );
    },
    refuseToken: async ({authorization}, address) => {
      if (expected === null) return noToken;
      const key = limitKey(address);
      const lockedOut = (limited: RateLimiterRes): Answer =>
        refusal(
          429,
          'throttled',
          'too many wrong tokens from this address',
          'Wait, then send the right one.',
          retryAfter(limited),
        );
      const known = await guesses.get(key);
      if (known && known.consumedPoints > limits.wrongTokensAMinute) return lockedOut(known);
      const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
      if (given === undefined) return wrongToken('a token is needed');
      if (timingSafeEqual(digest(given), expected)) return null;
      const limited = await limitedBy(guesses, key);
      return limited ? lockedOut(limited) : wrongToken('the token is wrong');
    },
  };
};

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);

/** Was it another site's page that made a browser send this? Programs send neither header. */
export const isCrossSite = (headers: IncomingHttpHeaders): boolean => {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return headers.origin !== undefined && hostOf(headers.origin) !== headers.host?.toLowerCase();
};
