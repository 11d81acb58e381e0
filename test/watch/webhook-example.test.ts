/** The receiver that the documentation shows, with messages as they are sent. */
import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {expect, test} from 'vitest';
import {openWebhook} from '../../source/watch/alerts/webhook.js';
import {openReceiver, type Post} from './receiver.js';

type IsGenuine = (headers: Record<string, unknown>, body: string, secret: string) => boolean;

const shown = async (): Promise<IsGenuine> => {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/alerts.md'), 'utf8');
  const [, code] = /```js\n([\s\S]*?)```/.exec(page)!;
  const module = await import(`data:text/javascript,${encodeURIComponent(code!)}`);
  return (module as {isGenuine: IsGenuine}).isGenuine;
};

const posted = async (secret: string, nowMs = Date.now()): Promise<Post> => {
  const receiver = await openReceiver();
  const alert = {
    alert: 'problems' as const,
    environment: 'test',
    store: 'rides',
    check: 'rides/stale-sessions',
    count: 1,
    since: new Date(nowMs).toISOString(),
    text: 'é <b>',
  };
  const message = {id: 'id-1', lane: 'rides', queuedAt: alert.since, alert};
  await openWebhook(receiver.url, secret).send(message, nowMs, new AbortController().signal);
  await receiver.close();
  return receiver.posts[0]!;
};

test.each(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'any other text of some length'])(
  'with the secret %s it takes what is genuine, and nothing else',
  async secret => {
    const isGenuine = await shown();
    const {headers, text} = await posted(secret);
    expect(isGenuine(headers, text, secret)).toBe(true);
    expect(isGenuine(headers, text.replace('"count":1', '"count":2'), secret)).toBe(false);
    expect(isGenuine(headers, text, secret.replace('e', 'f').replace('K', 'L'))).toBe(false);
    expect(isGenuine({...headers, 'webhook-id': 'id-2'}, text, secret)).toBe(false);
    expect(isGenuine({...headers, 'webhook-signature': undefined}, text, secret)).toBe(false);
    expect(isGenuine({...headers, 'webhook-timestamp': undefined}, text, secret)).toBe(false);
    const old = await posted(secret, Date.now() - 600_000);
    expect(isGenuine(old.headers, old.text, secret)).toBe(false);
  },
);
