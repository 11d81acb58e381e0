/**
 * The demo in a thread of its own, for the screen: starting PostgreSQL as WebAssembly keeps a thread busy for
 * seconds, and keys and frames must not wait for it.
 */
import {isMainThread, parentPort, Worker, workerData} from 'node:worker_threads';
import type {FaultyWrites} from '../faulty-writes.js';
import type {DemoConfig} from './config.js';
import {type DemoOptions, startDemo} from './demo.js';

type Told =
  | {config: DemoConfig}
  | {ready: string}
  | {traffic: Record<string, FaultyWrites>}
  | {fault: string};

export type DemoBehind = {
  config: DemoConfig /** Rejects when the demo fails. */;
  failed: Promise<never>;
  close(): Promise<void>;
};

/** Starts the demo behind this thread; resolves as soon as it is known where its stores will be. */
export const startDemoBehind = (options: DemoOptions): Promise<DemoBehind> =>
  new Promise((started, refused) => {
    const {onReady, onTraffic, ...plain} = options;
    // What the stores' libraries print must not reach the screen.
    const worker = new Worker(new URL(import.meta.url), {workerData: plain, stdout: true, stderr: true});
    let fail: (error: Error) => void = refused;
    const failed = new Promise<never>((_, reject) => {
      fail = error => {
        refused(error);
        reject(error);
      };
    });
    failed.catch(() => undefined);
    worker.on('error', error => fail(error as Error));
    worker.on('message', (told: Told) => {
      if ('config' in told)
        started({config: told.config, failed, close: async () => void (await worker.terminate())});
      else if ('ready' in told) onReady?.(told.ready);
      else if ('traffic' in told) onTraffic?.(told.traffic);
      else fail(new Error(told.fault));
    });
  });

if (!isMainThread && parentPort && workerData !== null) {
  const tell = (told: Told): void => parentPort!.postMessage(told);
  const demo = await startDemo({
    ...(workerData as DemoOptions),
    onReady: store => tell({ready: store}),
    onTraffic: traffic => tell({traffic}),
  });
  tell({config: demo.config});
  demo.ready.catch((error: Error) => tell({fault: error.message}));
}
