/** `init`: writes a starter configuration for the stores that the environment names. */
import {toJsonText} from '../output/json.js';
import {resolve} from 'node:path';
import {openConnector} from '../../connectors/index.js';
import {initConfig} from '../config/init.js';
import type {StoreConfig} from '../config/schema.js';
import type {Context} from './context.js';

export const init = async (context: Context): Promise<number> => {
  const out = resolve(context.flags.text('out') ?? 'sesstui.yaml');
  const open = (store: StoreConfig) =>
    openConnector('init', store, {environment: null, timeoutMs: context.flags.duration('timeout') ?? 10_000, readOnly: true});
  const {messages} = await initConfig({env: process.env, out, open});
  if (context.output === 'json') await context.print(toJsonText({out, messages}));
  else await context.print(`${messages.join('\n')}\nWrote ${out}.\n`);
  return 0;
};
