/** The package as a stranger gets it: packed, installed beside nothing of this repository, typed, run and bundled. */
import {execFile} from 'node:child_process';
import {mkdir, readdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {join, relative, resolve} from 'node:path';
import {promisify} from 'node:util';
import {beforeAll, expect, test} from 'vitest';
import {temporaryDirectory} from '../support/cli.js';
import {startPglite} from '../support/postgres.js';
import {postgresStage} from './rides-stage.js';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const modules = join(root, 'node_modules');
let project: string;

const program = `
import {openSesstui, SesstuiError} from 'sesstui';
import type {CleanupStatistics, CustomerStatus, HealthReport, Sesstui, SesstuiConfig} from 'sesstui';

const config: SesstuiConfig = {
  environment: 'test',
  stores: {rides: {kind: 'postgres', url: process.env.STORE_URL!, checks: [{check: 'stale-sessions'}]}},
};
const sesstui: Sesstui = await openSesstui({config, stateDirectory: process.env.STATE!});
const status: CustomerStatus = await sesstui.checkCustomerSessionStatus('c1');
const statistics: CleanupStatistics = await sesstui.runFullCleanup();
const report: HealthReport = await sesstui.healthReport();
await sesstui.close();
const code: string = await sesstui.healthReport().then(() => '', error => (error instanceof SesstuiError ? error.code : 'other'));
console.log(JSON.stringify([status, statistics.totalCleaned, report.health, code]));
`;
const wrong = `
import {openSesstui} from 'sesstui';
const sesstui = await openSesstui({config: {stores: {rides: {kind: 'postgress', url: '', checks: []}}}});
const text: string = (await sesstui.checkCustomerSessionStatus('c1')).cleaned;
console.log(text);
`;
const compiler = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    skipLibCheck: false,
    types: ['node'],
    outDir: 'out',
  },
};

beforeAll(async () => {
  project = await temporaryDirectory();
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', project], {cwd: root});
  await mkdir(join(project, 'node_modules/@types'), {recursive: true});
  const {version} = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {version: string};
  await run('tar', ['xzf', `sesstui-${version}.tgz`], {cwd: project});
  await run('mv', ['package', 'node_modules/sesstui'], {cwd: project});
  const {dependencies} = JSON.parse(
    await readFile(join(project, 'node_modules/sesstui/package.json'), 'utf8'),
  ) as {dependencies: Record<string, string>};
  // Its dependencies and no more: what is only there for this repository's tests must not be needed.
  const own = join(project, 'node_modules/sesstui/node_modules');
  for (const name of Object.keys(dependencies)) {
    await mkdir(join(own, name, '..'), {recursive: true});
    await symlink(join(modules, name), join(own, name));
  }
  await symlink(join(modules, '@types/node'), join(project, 'node_modules/@types/node'));
  await writeFile(join(project, 'package.json'), JSON.stringify({type: 'module', private: true}));
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({...compiler, files: ['program.ts']}));
  await writeFile(join(project, 'program.ts'), program);
});

test('holds programs, their types and pages to read: no cache of a build, and no tool of this repository', async () => {
  const names = await readdir(join(project, 'node_modules/sesstui'), {recursive: true, withFileTypes: true});
  const files = names
    .filter(entry => entry.isFile() && !relative(project, entry.parentPath).includes('sesstui/node_modules'))
    .map(({parentPath, name}) => relative(join(project, 'node_modules/sesstui'), join(parentPath, name)));
  expect(files).toEqual(
    expect.arrayContaining(['dist/source/cli.js', 'dist/source/library.d.ts', 'readme.md']),
  );
  const known =
    /^(?:dist\/(?:source|connectors|views)\/.+\.(?:js|d\.ts)|docs\/[^/]+\.(?:md|svg|json)|[^/]+)$/;
  expect(files.filter(file => !known.test(file))).toEqual([]);
});

const compile = (...args: string[]): Promise<string> =>
  run(process.execPath, [join(modules, 'typescript/bin/tsc'), ...args], {cwd: project}).then(
    ({stdout}) => stdout,
    error => (error as {stdout: string}).stdout,
  );

const logImports = resolve(import.meta.dirname, '../support/log-imports.mjs');

/** The packages, and the folders of this one, that a run of a program loads. */
const loadedBy = async (file: string, env: NodeJS.ProcessEnv): Promise<[string, Set<string>]> => {
  const log = join(await temporaryDirectory(), 'log');
  const {stdout} = await run(process.execPath, ['--import', logImports, file], {
    cwd: project,
    env: {...process.env, ...env, LOG_IMPORTS: log},
  });
  const loaded = (await readFile(log, 'utf8'))
    .split('\n')
    .map(
      line =>
        /sesstui\/dist\/((?:views|connectors\/\w+|source\/\w+))/.exec(line)?.[1] ??
        /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(line)?.[1] ??
        '',
    );
  return [stdout, new Set(loaded)];
};

test('types resolve under strict without skipLibCheck, and wrong calls are told', async () => {
  expect(await compile('-p', '.')).toBe('');
  await writeFile(join(project, 'wrong.ts'), wrong);
  await writeFile(
    join(project, 'tsconfig.wrong.json'),
    JSON.stringify({
      ...compiler,
      compilerOptions: {...compiler.compilerOptions, noEmit: true},
      files: ['wrong.ts'],
    }),
  );
  const told = await compile('-p', 'tsconfig.wrong.json');
  expect(told).toContain('"postgress"');
  expect(told).toContain("Type 'number' is not assignable to type 'string'");
});

test('it runs, and loads the driver of the store that is used and neither another one nor a screen', async () => {
  const stage = await postgresStage({name: 'PGlite', start: startPglite});
  try {
    await stage.fill([{id: 's1', customer: 'c1', status: 'waiting', minutes: 42}]);
    expect(await compile('-p', '.')).toBe('');
    const env = {STORE_URL: (stage.store as {url: string}).url, STATE: join(project, 'state')};
    const [stdout, loaded] = await loadedBy('out/program.js', env);
    expect(JSON.parse(stdout)).toEqual([{blocked: false, blockedBy: [], cleaned: 1}, 0, 'healthy', 'usage']);
    expect(loaded).toContain('pg');
    for (const name of [
      'ink',
      'react',
      'meow',
      'mongodb',
      '@aws-sdk/client-dynamodb',
      '@electric-sql/pglite',
      'views',
      'source/demo',
      'source/state',
      'source/ui',
      'source/commands',
      'source/cli',
    ])
      expect(loaded, name).not.toContain(name);
  } finally {
    await stage.close();
  }
});

test('opening loads no driver', async () => {
  await writeFile(
    join(project, 'opening.mjs'),
    `import {openSesstui} from 'sesstui';
const stores = {a: {kind: 'postgres', url: 'postgres://127.0.0.1:1/x'}, b: {kind: 'dynamodb'}};
await (await openSesstui({config: {stores}})).close();`,
  );
  const [, loaded] = await loadedBy('opening.mjs', {});
  expect(loaded).toContain('zod');
  for (const name of ['pg', 'mongodb', '@aws-sdk/client-dynamodb']) expect(loaded, name).not.toContain(name);
});

/** An application's bundle of what a program imports, its dependencies left outside. */
const bundle = async (text: string): Promise<string> => {
  const {build} = await import('rolldown');
  await writeFile(join(project, 'entry.mjs'), text);
  const {output} = await build({
    input: join(project, 'entry.mjs'),
    platform: 'node',
    write: false,
    external: /^(?!.*(?:sesstui|entry\.mjs))[^.]/,
  });
  return output.map(part => ('code' in part ? part.code : '')).join('\n');
};

test('a bundler keeps only what is imported', async () => {
  const small = await bundle(`import {SesstuiError} from 'sesstui'; console.log(SesstuiError);`);
  expect(small).toContain('SesstuiError = class');
  expect(small).not.toContain('Checker = class');
  expect(await bundle(`import {openSesstui} from 'sesstui'; console.log(openSesstui);`)).toContain(
    'Checker = class',
  );
});
