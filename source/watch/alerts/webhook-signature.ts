/**
 * How messages are signed: as the Standard Webhooks specification says (headers webhook-id, webhook-timestamp and
 * webhook-signature). Unlike a timestamp and a body alone it signs the id too, by which a receiver drops repeats, and
 * there are libraries in ten languages that verify it.
 */
import {createHmac} from 'node:crypto';
import {SesstuiError} from '../../errors.js';

const prefix = 'whsec_';
/** The specification asks for 24 to 64 bytes. */
const enoughBytes = 24;

/**
 * The key of a secret: what follows `whsec_` in Base64, or any other text as its UTF-8 bytes. Throws `config` for
 * `whsec_` without Base64 after it.
 */
export const signingKey = (secret: string): Buffer => {
  if (!secret.startsWith(prefix)) return Buffer.from(secret);
  const encoded = secret.slice(prefix.length);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded))
    throw new SesstuiError(
      'config',
      'SESSTUI_WEBHOOK_SECRET begins with whsec_, and what follows is not Base64',
      'Make one with: echo "whsec_$(openssl rand -base64 32)"',
    );
  return Buffer.from(encoded, 'base64');
};

export const isShortKey = (key: Buffer): boolean => key.length < enoughBytes;

/** `v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`; `atSeconds` since 1970. */
export const signatureOf = (key: Buffer, id: string, atSeconds: number, body: string): string =>
  `v1,${createHmac('sha256', key).update(`${id}.${atSeconds}.${body}`).digest('base64')}`;
