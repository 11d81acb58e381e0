/** One post to somebody who receives alerts, and what its answer means. */
import {createHmac} from 'node:crypto';
import {createServer} from 'node:net';
import {afterEach, expect, test} from 'vitest';
import {SesstuiError} from '../../source/errors.js';
import type {Message} from '../../source/watch/alerts/types.js';
import {type Answer, openWebhook, retryAfterMs} from '../../source/watch/alerts/webhook.js';
import {signatureOf, signingKey} from '../../source/watch/alerts/webhook-signature.js';
import {answering, openReceiver, type Receiver, taking} from './receiver.js';

const message: Message = {
  id: 'id-1',
  lane: 'rides/stale-sessions',
  queuedAt: '2026-11-21T10:00:00.000Z',
  alert: {
    alert: 'problems',
    environment: 'staging',
    store: 'rides',
    check: 'rides/stale-sessions',
    count: 3,
    since: '2026-11-21T10:00:00.000Z',
    text: '[staging] a customer called <!channel> & co',
    customers: ['<!channel>'],
  },
};

const atMs = Date.UTC(2026, 10, 21, 10, 5, 0, 900);
const never = new AbortController().signal;
const opened: Receiver[] = [];
const receive = async (answer = taking): Promise<Receiver> => {
  const receiver = await openReceiver(answer);
  opened.push(receiver);
  return receiver;
};
afterEach(async () => {
  for (const receiver of opened.splice(0)) await receiver.close();
});

const answerTo = async (answer: Receiver['answer']): Promise<Answer> =>
  openWebhook((await receive(answer)).url, null).send(message, atMs, never);

test('what is posted is the alert, with text that Slack takes for nothing but text', async () => {
  const receiver = await receive();
  expect(await openWebhook(receiver.url, null).send(message, atMs, never)).toEqual({kind: 'sent'});
  const [post] = receiver.posts;
  expect(post!.method).toBe('POST');
  expect(post!.headers['content-type']).toBe('application/json');
  expect(post!.headers['webhook-id']).toBe('id-1');
  expect(post!.headers['webhook-timestamp']).toBe(String(Math.floor(atMs / 1000)));
  expect(post!.headers['webhook-signature']).toBeUndefined();
  expect(Object.keys(post!.body).slice(0, 7)).toEqual([
    'alert',
    'environment',
    'store',
    'check',
    'count',
    'since',
    'text',
  ]);
  expect(post!.body.text).toBe('[staging] a customer called &lt;!channel&gt; &amp; co');
  expect(post!.body).toMatchObject({id: 'id-1', alert: 'problems', customers: ['<!channel>']});
});

test('the signature is that of the Standard Webhooks specification', async () => {
  // The example of the specification's own libraries.
  const key = signingKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  expect(signatureOf(key, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}')).toBe(
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
  const receiver = await receive();
  const secret = 'a secret that is no Base64 at all';
  await openWebhook(receiver.url, secret).send(message, atMs, never);
  const [{headers, text}] = receiver.posts as [(typeof receiver.posts)[0]];
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
  expect(headers['webhook-signature']).toBe(
    `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`,
  );
});

test('a secret that is announced as Base64 and is not one is refused; a short one is warned of', () => {
  expect(() => openWebhook('https://example.com/', 'whsec_not base64')).toThrow(SesstuiError);
  expect(openWebhook('https://example.com/', 'short').warnings).toEqual([
    'SESSTUI_WEBHOOK_SECRET has fewer than 24 bytes: it could be guessed',
  ]);
});

test.each([500, 502, 503, 408, 429])('%i may be sent again', async status => {
  expect(await answerTo(answering(status, {}, 'no\u001b[2J room'))).toEqual({
    kind: 'later',
    text: `answered ${status}: no\\x1b[2J room`,
    afterMs: null,
  });
});

test.each([400, 401, 403, 404, 410, 413])('%i is refused', async status => {
  expect(await answerTo(answering(status))).toEqual({kind: 'refused', text: `answered ${status}`});
});

test('Retry-After is read in seconds and as a date', async () => {
  expect(await answerTo(answering(429, {'retry-after': '7'}))).toMatchObject({kind: 'later', afterMs: 7000});
  const date = new Date(atMs + 30_100).toUTCString();
  expect(await answerTo(answering(503, {'retry-after': date}))).toMatchObject({afterMs: 30_100});
  expect(retryAfterMs('Sat, 21 Nov 2026 09:00:00 GMT', atMs)).toBe(0);
  expect(retryAfterMs('soon', atMs)).toBeNull();
});

test('a redirect is not followed', async () => {
  const elsewhere = await receive();
  for (const status of [301, 302, 303, 307, 308])
    expect(await answerTo(answering(status, {location: elsewhere.url}))).toEqual({
      kind: 'refused',
      text: `answered ${status}: redirects are not followed`,
    });
  expect(elsewhere.posts).toEqual([]);
});

test('who takes the message and then hangs has taken it', async () => {
  const answer = await answerTo((_, response) => {
    response.writeHead(200);
    response.write('o');
  });
  expect(answer).toEqual({kind: 'sent'});
});

test('a refusal is not read to its end', async () => {
  const answer = await answerTo((_, response) => {
    response.writeHead(400);
    response.write('x'.repeat(100_000));
  });
  expect(answer).toEqual({kind: 'refused', text: `answered 400: ${'x'.repeat(200)}…`});
});

test('who does not answer is given up after a while', async () => {
  const {url} = await receive(() => undefined);
  expect(await openWebhook(url, null, 300).send(message, atMs, never)).toEqual({
    kind: 'later',
    text: 'no answer within 0.3 s',
    afterMs: null,
  });
});

test('nobody there, and somebody who hangs up, may be there later', async () => {
  const receiver = await openReceiver();
  await receiver.close();
  expect(await openWebhook(receiver.url, null).send(message, atMs, never)).toEqual({
    kind: 'later',
    text: 'ECONNREFUSED',
    afterMs: null,
  });
  const server = createServer(socket => void socket.once('data', () => socket.destroy()));
  const port = await new Promise<number>(done =>
    server.listen(0, '127.0.0.1', () => done((server.address() as {port: number}).port)),
  );
  const answer = await openWebhook(`http://127.0.0.1:${port}/`, null).send(message, atMs, never);
  expect(answer.kind).toBe('later');
  server.close();
});

test('a name and a password of the address go into a header and nowhere else', async () => {
  const receiver = await receive(
    answering(401, {}, 'bad hunter2+secret for /hooks/T0123/B0456/abcdefghijklmnopqrstuvwx'),
  );
  const address = receiver.url.replace('http://', 'http://me:hunter2%2Bsecret@');
  const webhook = openWebhook(address, null);
  expect(webhook.host).not.toContain('hunter2');
  const answer = await webhook.send(message, atMs, never);
  const [post] = receiver.posts;
  expect(post!.headers.authorization).toBe(`Basic ${Buffer.from('me:hunter2+secret').toString('base64')}`);
  expect(answer).toMatchObject({kind: 'refused'});
  expect(JSON.stringify(answer)).not.toMatch(/hunter2|abcdefghijkl/);
});

test('an address that is none of http or https is refused without being shown', () => {
  for (const address of ['ftp://x/secret-path', 'secret-path', 'file:///secret-path', '', 'https://'])
    expect(() => openWebhook(address, null)).toThrow(/^the address of the webhook is not an http\(s\) URL$/);
});

test('http is warned of where others can listen', () => {
  expect(openWebhook('http://hooks.example.com/x', null).warnings).toEqual([
    'alerts go to hooks.example.com over http: anyone on the way can read and change them; use https',
  ]);
  for (const safe of [
    'https://hooks.example.com/x',
    'http://localhost:1/',
    'http://127.0.0.9/',
    'http://[::1]/',
  ])
    expect(openWebhook(safe, null).warnings).toEqual([]);
  expect(openWebhook('http://127.0.0.1.example.com/', null).warnings).toHaveLength(1);
});
