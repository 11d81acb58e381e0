/**
 * ink-table, loaded. It is CommonJS and requires ink, which is an ES module with top-level await that `require`
 * can't load; so ink's namespace is put where ink-table's `require` looks first.
 */
import {createRequire, Module} from 'node:module';
import * as ink from 'ink';
import type inkTable from 'ink-table';

const require = createRequire(import.meta.url);
const requireOfTable = createRequire(require.resolve('ink-table'));
const inkFile = requireOfTable.resolve('ink');

if (!require.cache[inkFile]) {
  const loaded = new Module(inkFile);
  loaded.filename = inkFile;
  loaded.loaded = true;
  loaded.exports = ink;
  require.cache[inkFile] = loaded;
}

export const Table = (require('ink-table') as typeof inkTable).default;
