import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {Worker} from 'node:worker_threads';
import envPaths from 'env-paths';
import type {Message} from './postgres-messages.js';

/**
 * PGlite computes synchronously, for seconds while it makes a new cluster: in a thread of its own it doesn't hold
 * up whatever else the process does. The thread's program is text because it must run the same from sources and
 * when built. A new cluster is kept in a file, from which the next start takes a third of the time and half of the
 * memory; a file that can't be read or written is done without.
 */
const PROGRAM = `
const fs = require('node:fs');
const path = require('node:path');
const {parentPort, workerData} = require('node:worker_threads');
const {PGlite} = require(workerData.pglite);

const fromFile = async file => {
  try {
    return await PGlite.create({loadDataDir: new Blob([fs.readFileSync(file)])});
  } catch {
    return undefined;
  }
};

const keep = async (db, file) => {
  try {
    const bytes = Buffer.from(await (await db.dumpDataDir('gzip')).arrayBuffer());
    fs.mkdirSync(path.dirname(file), {recursive: true, mode: 0o700});
    const written = file + '.' + process.pid;
    fs.writeFileSync(written, bytes, {flag: 'wx', mode: 0o600});
    fs.renameSync(written, file);
  } catch {}
};

const start = async () => {
  const {file} = workerData;
  const cached = await fromFile(file);
  if (cached) return cached;
  const db = await PGlite.create();
  await keep(db, file);
  return db;
};

start().then(db => {
  parentPort.postMessage({started: true});
  let last = Promise.resolve();
  parentPort.on('message', ({id, messages}) => {
    last = last.then(async () => {
      const parts = [];
      for (const bytes of messages) {
        await db.execProtocolRawStream(bytes, {syncToFs: false, onRawData: data => parts.push(data.slice())});
      }
      parentPort.postMessage({id, parts});
    }).catch(error => parentPort.postMessage({id, error: String(error)}));
  });
});
`;

type Answer = {id: number; parts?: Uint8Array[]; error?: string};

export type Backend = {
  /** Fulfilled when it can answer. */
  started: Promise<void>;
  /** Hands messages to the one backend there is, in order, and returns all it answers to them. */
  execute(messages: Message[]): Promise<Buffer>;
  close(): Promise<void>;
};

/** Starts PostgreSQL in memory. */
export const startBackend = (): Backend => {
  const require = createRequire(import.meta.url);
  const pglite = require.resolve('@electric-sql/pglite');
  const {version} = JSON.parse(readFileSync(join(dirname(pglite), '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const file = join(envPaths('sesstui', {suffix: ''}).cache, `postgres-pglite-${version}.tar.gz`);
  const worker = new Worker(PROGRAM, {eval: true, workerData: {pglite, file}});
  const waiting = new Map<number, {resolve(reply: Buffer): void; reject(error: Error): void}>();
  let last = 0;
  let ended: Error | undefined;

  const end = (error: Error) => {
    ended = error;
    for (const {reject} of waiting.values()) reject(error);
    waiting.clear();
  };
  const started = new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the embedded PostgreSQL has ended')));
  });
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the embedded PostgreSQL has ended')));
  worker.on('message', ({id, parts, error}: Answer) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (parts) call?.resolve(Buffer.concat(parts));
    else call?.reject(new Error(error));
  });

  return {
    started,
    execute: messages =>
      new Promise((resolve, reject) => {
        if (ended) {
          reject(ended);
          return;
        }
        const id = ++last;
        waiting.set(id, {resolve, reject});
        worker.postMessage({id, messages: messages.map(({bytes}) => bytes)});
      }),
    close: async () => {
      await worker.terminate();
    },
  };
};
