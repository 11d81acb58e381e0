// Preloaded by a test: writes the address of every module that is loaded to the file in LOG_IMPORTS.

import {appendFileSync} from 'node:fs';
import {createRequire, register} from 'node:module';

const hooks = `
  import {appendFileSync} from 'node:fs';
  export const load = async (url, context, next) => {
    appendFileSync(process.env.LOG_IMPORTS, url + '\\n');
    return next(url, context);
  };
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
// Modules that CommonJS loads itself do not pass the hooks.
const {cache} = createRequire(import.meta.url);
process.on('exit', () => {
  for (const name of Object.keys(cache)) appendFileSync(process.env.LOG_IMPORTS, `file://${name}\n`);
});
