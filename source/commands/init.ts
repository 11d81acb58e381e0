/** `init`: writes a starter configuration for the stores that the environment names. */

import {openConnector} from '../../connectors/index.js';
import {initConfig} from '../config/init.js';
import type {StoreConfig} from '../config/schema.js';
import {toJsonText} from '../output/json.js';
import type {Context} from './context.js';

export const init = async (context: Context): Promise<number> => {
  const timeoutMs = context.flags.duration('timeout') ?? 10_000;
  const open = (name: string, store: StoreConfig) =>
    openConnector(name, store, {environment: null, timeoutMs, readOnly: true});
  const {file, stores, messages} = await initConfig({
    env: process.env,
    cwd: process.cwd(),
    out: context.flags.text('out'),
    open,
    timeoutMs,
  });
  await context.print(
    context.output === 'json' ? toJsonText({file, stores, messages}) : `${messages.join('\n')}\n`,
  );
  return 0;
};
