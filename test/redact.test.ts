import fc from 'fast-check';
import {expect, test} from 'vitest';
import {createRedactor} from '../source/redact.js';
import {isSecretColumn, maskValues, secretTexts} from '../source/secrets.js';

const redact = createRedactor();

test.each([
  ['postgres://gym:hunter2@db.internal:5432/gym', 'postgres://gym:••••@db.internal:5432/gym'],
  ['mongodb+srv://app:p%40ss@c0.example.net/chat', 'mongodb+srv://app:••••@c0.example.net/chat'],
  ['mongodb://app:s3cret@a:27017,b:27017/chat', 'mongodb://app:••••@a:27017,b:27017/chat'],
  ['1postgres://u:hunter2@h', '1postgres://u:••••@h'],
  ['redis://:onlypassword@cache', 'redis://:••••@cache'],
  ['connect postgres://u:pa/ss#w?x@h/db failed', 'connect postgres://u:••••@h/db failed'],
  ['host=db password=hunter2 user=gym', 'host=db password=•••• user=gym'],
  ["password='two words' host=db", 'password=•••• host=db'],
  ['?user=a&sslpassword=xyz&x=1', '?user=a&sslpassword=••••&x=1'],
  ['{"password":"hun\\"ter","user":"gym"}', '{"password":"••••","user":"gym"}'],
  ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'aws_secret_access_key = ••••'],
  ['key AKIAIOSFODNN7EXAMPLE was refused', 'key •••• was refused'],
  ['Authorization: Bearer abcdef0123456789', 'Authorization: Bearer ••••'],
  ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig back', 'got •••• back'],
  ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----', '••••'],
])('%s', (text, expected) => {
  expect(redact(text)).toBe(expected);
  expect(redact(redact(text))).toBe(expected);
});

test.each([
  'http://localhost:9464/session-health?customer=ann@gym.example',
  'password authentication failed for user "gym"',
  'Unexpected token } in JSON at position 4',
  'stores.rides.checks[0].waitingAfter: "15 min" is not a duration',
  'sess_8f14e45fceea167a5a36dedd4bea2543',
])('leaves alone: %s', text => {
  expect(redact(text)).toBe(text);
});

test.each([
  'a',
  'a-',
  'a.',
  '"a',
  'a://',
  'a://b:c',
  'password=',
  '"password":',
  'eyJ-',
  'Bearer ',
  '-----BEGIN ',
  "'token'='",
])('a long text of %j takes no more time than its length is worth', part => {
  const timeOf = (count: number): number => {
    const text = part.repeat(count);
    const begin = process.cpuUsage();
    redact(text);
    const {user, system} = process.cpuUsage(begin);
    return (user + system) / 1000;
  };
  timeOf(1000);
  // 32 times as long: with quadratic time it would take a thousand times as long, and more than ten seconds.
  expect(timeOf(32_000)).toBeLessThan(2000);
});

test('canaries are masked as they are, percent-encoded and as JSON writes them', () => {
  const canary = 'pä"ss/w rd';
  const mask = createRedactor([canary]);
  for (const text of [
    canary,
    encodeURIComponent(canary),
    encodeURIComponent(canary).toLowerCase(),
    JSON.stringify(canary).slice(1, -1),
  ])
    expect(mask(`before ${text} after`)).toBe('before •••• after');
});

test.each([0, 1, 2, 3, 4])('a canary in Base64 is masked, after %i other bytes', count => {
  const canary = 'C4nary/pässword';
  const mask = createRedactor([canary]);
  const text = Buffer.from(`${'x'.repeat(count)}${canary}:and more`).toString('base64');
  const own = Buffer.from(canary).toString('base64').slice(4, 16);
  const told = mask(`Authorization ${text}`);
  expect(told).toContain('••••');
  expect(told).not.toContain(own);
  expect(Buffer.from(told.replace(/^.* |•+.*$/g, ''), 'base64').toString()).not.toContain('C4n');
});

test('a canary in its percent-encoded form is masked decoded as well', () => {
  expect(createRedactor(['p%40ssword'])('it was p@ssword')).toBe('it was ••••');
});

test('a canary leaves in no spelling, whatever it is', () => {
  const canaries = fc
    .string({unit: 'grapheme', minLength: 4, maxLength: 20})
    .filter(text => !/^[•%\d\s]*$/.test(text) && !text.includes('•'));
  fc.assert(
    fc.property(canaries, canary => {
      const mask = createRedactor([canary]);
      for (const spelling of [canary, encodeURIComponent(canary), JSON.stringify(canary).slice(1, -1)])
        expect(mask(`<${spelling}>`)).not.toContain(spelling);
    }),
  );
});

test("canaries too short to be secrets, and the program's own words, are left", () => {
  expect(createRedactor(['abc', 'postgres'])('abc postgres')).toBe('abc postgres');
});

test('the longest of overlapping canaries is masked whole', () => {
  expect(createRedactor(['hunter', 'hunter22'])('hunter22!')).toBe('••••!');
});

test.each([
  'token',
  'accessToken',
  'access_token',
  'refreshToken',
  'requestToken',
  'request-token',
  'cookies',
  'cookie',
  'password',
  'passwordHash',
  'secret',
  'client_secret',
  'message_envelope',
  'messageEnvelope',
  'api_key',
  'apiKey',
  'apikey',
  'x-api-key',
  'authorization',
  'private_key',
  'credential',
  'credentials',
  'otp',
  'totp_secret',
  'accesstoken',
  'RefreshToken',
  'JWT',
  'salt',
  'awsSecretAccessKey',
  'profile.accessToken',
  'backupCodes',
])('%s is secret', name => {
  expect(isSecretColumn(name)).toBe(true);
});

test.each([
  'session_id',
  'sessionId',
  'session_ids',
  'fingerprint',
  'device_key',
  'stream_id',
  'accountId',
  'email',
  'id',
  'status',
  'session_type',
  'protected',
  'expires_at',
  'token_expires_at',
  'tokenType',
  'secretary',
  'hotpot',
  'keyboard',
  'customer_id',
])('%s is not secret', name => {
  expect(isSecretColumn(name)).toBe(false);
});

test("a check's own secrets are secret in any spelling", () => {
  expect(isSecretColumn('phone_number', ['phoneNumber'])).toBe(true);
  expect(isSecretColumn('phone', ['phoneNumber'])).toBe(false);
});

test('secret values are masked at any depth, and null stays null', () => {
  const values = {
    id: 1,
    token: 'abc',
    password: null,
    cookies: [{name: 'sid'}],
    session: {sessionId: 's1', accessToken: 'x', profile: {phone: '1'}},
    devices: [{otp: '123456', name: 'kiosk'}],
  };
  expect(maskValues(values, ['session.profile.phone'])).toEqual({
    id: 1,
    token: '••••',
    password: null,
    cookies: '••••',
    session: {sessionId: 's1', accessToken: '••••', profile: {phone: '••••'}},
    devices: [{otp: '••••', name: 'kiosk'}],
  });
});

test('what is masked is what an error must not quote', () => {
  const values = {id: 1, token: 'abc', cookies: [{name: 'sid', value: 7}], session: {profile: {phone: '1'}}};
  expect(secretTexts(values, ['session.profile.phone'])).toEqual(['abc', 'sid', '7', '1']);
});

test('names that every object has are names like others', () => {
  const values = JSON.parse('{"__proto__":{"token":"abc"},"constructor":"x"}');
  const told = maskValues(values);
  expect(JSON.stringify(told)).toBe('{"__proto__":{"token":"••••"},"constructor":"x"}');
  expect(maskValues({id: 1}).constructor).toBeUndefined();
});
