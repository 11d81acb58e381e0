import {createRequire} from 'node:module';
import {Worker} from 'node:worker_threads';
import type {Message} from './postgres-messages.js';

/**
 * PGlite computes synchronously, for seconds while it starts: in a thread of its own it doesn't hold up whatever
 * else the process does. The thread's program is text because it must run the same from sources and when built.
 */
const PROGRAM = `
const {parentPort, workerData} = require('node:worker_threads');
const {PGlite} = require(workerData.pglite);
PGlite.create().then(db => {
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
  /** Hands messages to the one backend there is, in order, and returns all it answers to them. */
  execute(messages: Message[]): Promise<Buffer>;
  close(): Promise<void>;
};

/** Starts PostgreSQL in memory. */
export const startBackend = async (): Promise<Backend> => {
  const require = createRequire(import.meta.url);
  const worker = new Worker(PROGRAM, {eval: true, workerData: {pglite: require.resolve('@electric-sql/pglite')}});
  const waiting = new Map<number, {resolve(reply: Buffer): void; reject(error: Error): void}>();
  let last = 0;
  let ended: Error | undefined;

  const end = (error: Error) => {
    ended = error;
    for (const {reject} of waiting.values()) reject(error);
    waiting.clear();
  };
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
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
