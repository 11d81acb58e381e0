import {readFile, writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {expect, test} from 'vitest';
import {cli, temporaryDirectory} from '../support/cli.js';

const preload = resolve(import.meta.dirname, '../support/log-imports.mjs');

/** The packages and folders that a call of the program loads. */
const loadedBy = async (args: string[]): Promise<Set<string>> => {
  const directory = await temporaryDirectory();
  const log = join(directory, 'log');
  await writeFile(
    join(directory, 'sesstui.yaml'),
    `environment: test
stores:
  rides: {kind: postgres, url: 'postgres://127.0.0.1:1/x', checks: [{check: stale-sessions}]}
`,
  );
  await cli(args, {cwd: directory, env: {LOG_IMPORTS: log, NODE_OPTIONS: `--import ${preload}`}});
  const lines = (await readFile(log, 'utf8')).split('\n');
  return new Set(
    lines.flatMap(
      line =>
        /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(line)?.[1] ??
        /dist\/((?:views|connectors\/\w+|source\/\w+))/.exec(line)?.[1] ??
        [],
    ),
  );
};

test('help loads neither a driver nor Ink nor the engine', async () => {
  const loaded = await loadedBy(['--help']);
  expect(loaded).toContain('meow');
  for (const name of [
    'ink',
    'react',
    'pg',
    'mongodb',
    '@aws-sdk/client-dynamodb',
    'zod',
    'source/engine',
    'views',
  ])
    expect(loaded, name).not.toContain(name);
});

test('a check of a PostgreSQL store loads pg and no other driver, nor Ink, nor the demo', async () => {
  const loaded = await loadedBy(['check', '--json']);
  expect(loaded).toContain('pg');
  for (const name of [
    'ink',
    'react',
    'mongodb',
    '@aws-sdk/client-dynamodb',
    '@electric-sql/pglite',
    'views',
    'source/demo',
    'source/state',
  ])
    expect(loaded, name).not.toContain(name);
});
