/** `demo`: serves the demo stores until interrupted and writes a configuration for them. */

import {readFile, rename, writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {SesstuiError} from '../errors.js';
import {type FaultyWrites, faultyWritesText} from '../faulty-writes.js';
import {toJsonText} from '../output/json.js';
import type {Context} from './context.js';

const firstLine = '# Written by `sesstui demo`';

/** A file that an earlier demo wrote may be written again; any other is left alone. */
const refuseOthers = async (path: string): Promise<void> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new SesstuiError(
      'usage',
      `${path} can not be read (${error.code})`,
      'Name another file with --out.',
    );
  });
  if (text !== null && !text.startsWith(firstLine))
    throw new SesstuiError(
      'usage',
      `${path} is there already and was not written by the demo`,
      'Name another file with --out, or remove it.',
    );
};

/** Says of each store when a guard begins to refuse its faulty writes, or to put them right. */
const tellRefusals = (tell: Context['tell']) => {
  const told = new Set<string>();
  return (writes: Record<string, FaultyWrites>): void => {
    for (const [store, faulty] of Object.entries(writes)) {
      if (faulty.refused + faulty.mended === 0 || told.has(store)) continue;
      told.add(store);
      tell(`${store}: a guard holds, ${faultyWritesText(faulty)}`);
    }
  };
};

export const demo = async (context: Context): Promise<number> => {
  const {flags, signal} = context;
  const path = resolve(flags.text('out') ?? 'sesstui.yaml');
  await refuseOthers(path);
  const {startDemo} = await import('../demo/demo.js');
  context.tell('Starting the demo stores …');
  const stores = await startDemo({
    traffic: !flags.has('no-traffic'),
    rows: flags.number('rows', 0),
    seed: flags.number('seed', 0),
    onTraffic: tellRefusals(context.tell),
  });
  try {
    await Promise.race([stores.ready, aborted(signal)]);
    if (signal.aborted) return 130;
    await writeFile(`${path}.new`, `${firstLine}\n${stores.yaml()}`, {mode: 0o600});
    await rename(`${path}.new`, path);
    const said = {out: path, stores: stores.config};
    await context.print(
      context.output === 'json'
        ? toJsonText(said)
        : `The demo stores are ready. Look at them with:\n  sesstui --config ${path}\n  sesstui --config ${path} check\nCtrl-C ends them.\n`,
    );
    await aborted(signal);
    for (const [store, {faulty}] of Object.entries(stores.trafficStats()))
      context.tell(`${store}: ${faultyWritesText(faulty)}`);
    return 0;
  } finally {
    await stores.close();
  }
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(done => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), {once: true});
  });
