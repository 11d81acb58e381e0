import {once} from 'node:events';
import {createWriteStream, existsSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {createConnection, createServer} from 'node:net';
import {Writable} from 'node:stream';
import {expect, test} from 'vitest';
import {writeOut} from '../../source/output/write-out.js';

/** Both ends of a pipe-like connection. */
const pair = async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const writer = createConnection((server.address() as {port: number}).port, '127.0.0.1');
  const [reader] = (await accepted) as [import('node:net').Socket];
  return {writer, reader, server};
};

test('it resolves when the stream has taken everything, however slowly', async () => {
  const chunks: string[] = [];
  const slow = new Writable({
    highWaterMark: 4,
    write: (chunk: Buffer, _, done) =>
      setImmediate(() => {
        chunks.push(chunk.toString());
        done();
      }),
  });
  expect(await writeOut(slow, 'first line\n')).toBe(true);
  expect(chunks.join('')).toBe('first line\n');
  await Promise.all([writeOut(slow, 'second\n'), writeOut(slow, 'third\n')]);
  expect(chunks.join('')).toBe('first line\nsecond\nthird\n');
});

test('a reader that goes away is no error, and later writes say so at once', async () => {
  const {writer, reader, server} = await pair();
  try {
    expect(await writeOut(writer, 'read\n')).toBe(true);
    const gone = new Promise(resolve => writer.once('close', resolve));
    reader.resetAndDestroy();
    await gone;
    expect(await writeOut(writer, 'not read\n')).toBe(false);
    expect(await writeOut(writer, 'nor this\n')).toBe(false);
  } finally {
    writer.destroy();
    server.close();
  }
});

test('a broken pipe during the write is told as a reader that has gone', async () => {
  const broken = new Writable({
    write: (_, __, done) => done(Object.assign(new Error('write EPIPE'), {code: 'EPIPE'})),
  });
  expect(await writeOut(broken, 'x')).toBe(false);
});

test.runIf(existsSync('/dev/full'))('a full disk is an error', async () => {
  const file = await open('/dev/full', 'w');
  const stream = createWriteStream('', {fd: file.fd, autoClose: false});
  await expect(writeOut(stream, 'x')).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('ENOSPC'),
  });
  await file.close();
});
