/** Who the HTTP server answers, and what one client may take of it. */
import {request} from 'node:http';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {isCrossSite, requireToken} from '../../source/watch/http/access.js';
import {exposureWarning, isOurHost, limitKey, parseListen, urlOf} from '../../source/watch/http/address.js';
import {bearer, errorOf, type Harness, openHarness, tables, token} from './server-harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness.stop());
beforeEach(async () => {
  await harness.client.query(tables);
});

const closed = [
  ['GET', '/session-health'],
  ['GET', '/cleanup-sessions'],
  ['POST', '/cleanup-sessions'],
] as const;

test('what needs a token is 403 where none is set, and the rest is served', async () => {
  const {url} = await harness.serve({token: null});
  for (const [method, path] of closed) {
    const response = await fetch(url + path, {method, headers: bearer});
    expect(await errorOf(response), path).toEqual([403, 'refused']);
  }
  for (const path of ['/', '/metrics', '/healthz']) expect((await fetch(url + path)).status, path).toBe(200);
});

test('without the token it is 401, whatever is sent instead, and nothing is done', async () => {
  const {url} = await harness.serve({limits: {wrongTokensAMinute: 1000}});
  for (const [method, path] of closed)
    for (const Authorization of [
      undefined,
      'Bearer',
      `Basic ${token}`,
      token,
      `Bearer ${token.slice(0, -1)}`,
      `Bearer ${token}x`,
      `Bearer ${token.toUpperCase()}`,
      `Bearer x, Bearer ${token}`,
    ]) {
      const headers: Record<string, string> = Authorization === undefined ? {} : {Authorization};
      const response = await fetch(url + path, {method, headers});
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="sesstui"');
      expect(await errorOf(response), `${path} ${Authorization}`).toEqual([401, 'refused']);
    }
  const withQuery = await fetch(`${url}/session-health?token=${token}`);
  expect(withQuery.status).toBe(401);
  const found = await harness.client.query(`select count(*)::int from sessions where status = 'waiting'`);
  expect(found.rows).toEqual([{count: 4}]);
  expect((await fetch(`${url}/session-health`, {headers: {authorization: `bEARER ${token}`}})).status).toBe(
    200,
  );
});

/** The same server seen from another address of this machine. */
const from = (localAddress: string, url: string, headers: Record<string, string>): Promise<number> =>
  new Promise((done, fail) => {
    request(`${url}/session-health`, {localAddress, headers}, response => {
      response.resume();
      done(response.statusCode!);
    })
      .on('error', fail)
      .end();
  });

test('an address with too many wrong tokens is locked out; the right token from another is served', async () => {
  const {url} = await harness.serve({limits: {wrongTokensAMinute: 5, lockedOutSeconds: 30}});
  const wrong = {Authorization: 'Bearer wrong-wrong-wrong-wrong'};
  const statuses = await Promise.all(Array.from({length: 8}, () => from('127.0.0.2', url, wrong)));
  expect(statuses.toSorted()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  expect(await from('127.0.0.2', url, bearer)).toBe(429);
  expect(await from('127.0.0.3', url, bearer)).toBe(200);
  expect(await from('127.0.0.2', url, {})).toBe(429);
  const response = await fetch(`${url}/healthz`);
  expect(response.status).toBe(200);
});

test('too many requests of one address are 429 and say when to come again', async () => {
  const {url} = await harness.serve({limits: {requestsAMinute: 3}});
  for (let count = 0; count < 3; count++) expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const limited = await fetch(`${url}/healthz`);
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await errorOf(limited)).toEqual([429, 'throttled']);
});

test('a token that could be guessed or not be sent is refused at the start', async () => {
  for (const bad of [
    '',
    'short',
    'x'.repeat(15),
    `${'x'.repeat(16)} y`,
    'ü'.repeat(16),
    `${'x'.repeat(16)}\n`,
  ])
    await expect(harness.serve({token: bad}), JSON.stringify(bad)).rejects.toMatchObject({code: 'config'});
  expect(() => requireToken('x'.repeat(16))).not.toThrow();
  const fault = await harness.serve({token: 'hunter2'}).catch(error => error);
  expect(JSON.stringify(fault)).not.toContain('hunter2');
});

test('an error never tells the token, even where a store says it', async () => {
  const real = await harness.engine();
  const engine = Object.create(real, {
    health: {value: () => Promise.reject(new Error(`no user "${token}"`))},
  });
  const {url} = await harness.serve({engine});
  const response = await fetch(`${url}/session-health`, {headers: bearer});
  const text = await response.text();
  expect(response.status).toBe(500);
  expect(text).toContain('no user');
  expect(text).not.toContain(token);
});

/** Status of a request with headers that fetch would not send. */
const asked = (url: string, headers: Record<string, string>, method = 'GET'): Promise<number> =>
  new Promise((done, fail) => {
    request(url, {method, headers}, response => {
      response.resume();
      done(response.statusCode!);
    })
      .on('error', fail)
      .end();
  });

test('a POST that another site made a browser send is refused, even with the token', async () => {
  const {url} = await harness.serve();
  const path = `${url}/cleanup-sessions?customer=nobody`;
  for (const headers of [
    {'sec-fetch-site': 'cross-site'},
    {'sec-fetch-site': 'same-site'},
    {origin: 'http://evil.example'},
    {origin: 'null'},
    {origin: url.replace(/\d+$/, '1')},
  ])
    expect(await asked(path, {...bearer, ...(headers as object)}, 'POST'), JSON.stringify(headers)).toBe(403);
  expect(await asked(path, {...bearer, origin: url, 'sec-fetch-site': 'same-origin'}, 'POST')).toBe(200);
  expect(await asked(path, bearer, 'POST')).toBe(200);
  // Behind a proxy with TLS the name stays, the scheme does not.
  expect(isCrossSite({origin: 'https://ops.example', host: 'ops.example'})).toBe(false);
});

/** What a server sends on a connection until it ends it. */
const spoken = (url: string, ...parts: string[]): Promise<string> =>
  new Promise((done, fail) => {
    const {hostname, port} = new URL(url);
    let heard = '';
    const socket: Socket = connect(Number(port), hostname, () => {
      for (const part of parts) socket.write(part);
    });
    socket.setEncoding('utf8').on('data', chunk => {
      heard += chunk;
    });
    socket.on('error', fail).on('close', () => done(heard));
  });

test('a name that was made to point to loopback is not served', async () => {
  const {url} = await harness.serve();
  const {port} = new URL(url);
  for (const host of [`evil.example:${port}`, 'localhost', 'localhost:1', `localhost.evil.example:${port}`])
    expect(await asked(`${url}/healthz`, {host}), host).toBe(421);
  for (const host of [`localhost:${port}`, `LocalHost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`])
    expect(await asked(`${url}/healthz`, {host}), host).toBe(200);
  expect(await spoken(url, 'GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 421 /,
  );
  expect(await spoken(url, 'GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 /);
});

test('slow, broken and endless requests are answered as JSON and hung up on', async () => {
  const {url} = await harness.serve({limits: {headersMs: 100, requestMs: 200, lookMs: 50, idleMs: 50}});
  const {host} = new URL(url);
  const head = (rest: string): string => `POST /cleanup-sessions HTTP/1.1\r\nHost: ${host}\r\n${rest}`;
  const withToken = `Authorization: Bearer ${token}\r\n`;
  const slowHead = await spoken(url, 'GET / HTTP/1.1\r\nHost:');
  const slowBody = await spoken(url, head(`${withToken}Content-Length: 10\r\n\r\n{`));
  const silent = await spoken(url);
  for (const answer of [slowHead, slowBody, silent]) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(await spoken(url, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"error":\{"code":"usage"/);
  expect(await spoken(url, `GET / HTTP/1.1\r\nX: ${'x'.repeat(9000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  expect(await spoken(url, `GET /?${'x'.repeat(2048)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 414 /,
  );
  expect(await spoken(url, `GET http://evil/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  const long = await spoken(url, head(`${withToken}Content-Length: 999999\r\n\r\n{`));
  expect(long).toMatch(/^HTTP\/1\.1 413 [\s\S]*Connection: close/);
});

test('more connections than are allowed are not taken, and a place that is free again is', async () => {
  const {url} = await harness.serve({limits: {connections: 2}});
  const {hostname, port} = new URL(url);
  const open = (): Promise<Socket> =>
    new Promise((done, fail) => {
      const socket = connect(Number(port), hostname, () => done(socket)).on('error', fail);
    });
  const [first, second] = [await open(), await open()];
  const third = await open();
  await new Promise(done => third.resume().once('close', done));
  await Promise.all(
    [first, second].map(socket => new Promise(done => socket!.once('close', done).destroy())),
  );
  await expect
    .poll(() =>
      fetch(`${url}/healthz`).then(
        ({status}) => status,
        () => 0,
      ),
    )
    .toBe(200);
});

test.each([
  ['127.0.0.1:9187', '127.0.0.1', 9187],
  ['[::1]:0', '::1', 0],
  ['0.0.0.0:9000', '0.0.0.0', 9000],
  ['localhost:80', 'localhost', 80],
  ['ops-1.example:65535', 'ops-1.example', 65535],
  [':9187', '127.0.0.1', 9187],
  ['9187', '127.0.0.1', 9187],
])('--listen %s', (text, host, port) => {
  expect(parseListen(text)).toEqual({host, port});
});

test.each([
  '',
  ':',
  'localhost',
  '127.0.0.1:',
  '127.0.0.1:x',
  '127.0.0.1:65536',
  '::1:9000',
  '[::1]',
  '[nope]:1',
  '*:9000',
  'http://localhost:1',
  '1.2.3:80',
  '300.0.0.1:80',
  'a b:1',
  'a\n:1',
  '-a:1',
])('--listen %j is refused', text => {
  expect(() => parseListen(text)).toThrow(expect.objectContaining({code: 'usage'}));
});

test('who can reach an address is told unless nobody else can', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', '::ffff:127.0.0.1'])
    expect(exposureWarning({host, port: 1}), host).toBe(null);
  expect(exposureWarning({host: '0.0.0.0', port: 1})).toContain('any address of this machine');
  expect(exposureWarning({host: '10.0.0.7', port: 1})).toContain('10.0.0.7');
  expect(exposureWarning({host: '128.0.0.1', port: 1})).not.toBe(null);
  expect(exposureWarning({host: '127.evil.example', port: 1})).not.toBe(null);
});

test('addresses are counted by machine, and hosts other than loopback go by any name', () => {
  expect(limitKey('::ffff:10.0.0.1')).toBe('10.0.0.1');
  expect(limitKey('2001:db8:1:2:3:4:5:6')).toBe(limitKey('2001:db8:1:2::9'));
  expect(limitKey('2001:db8::1')).not.toBe(limitKey('2001:db8:0:1::1'));
  expect(isOurHost('ops.example', {host: '0.0.0.0', port: 9187})).toBe(true);
  expect(urlOf({host: '::1', port: 7})).toBe('http://[::1]:7');
});

test('a port that is taken is a wrong use of --listen, and says so', async () => {
  const taken = createServer();
  await new Promise<void>(done => taken.listen(0, '127.0.0.1', done));
  const {port} = taken.address() as AddressInfo;
  await expect(harness.serve({address: {host: '127.0.0.1', port}})).rejects.toMatchObject({
    code: 'usage',
    message: `can not listen on 127.0.0.1 port ${port}: something else listens there`,
  });
  await new Promise(done => taken.close(done));
});
