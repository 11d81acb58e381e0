/**
 * `npm run test:servers`: the tests that run on servers which nobody here wrote, and at the end on which. What
 * comes after `--` goes to vitest.
 */
import {spawn} from 'node:child_process';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {inCi, installServers} from './install.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const config = ['--config', 'test/servers/vitest.config.ts'];

const vitest = (args, env) =>
  new Promise((resolve, reject) => {
    const program = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const child = spawn(process.execPath, [program, 'run', ...args], {cwd: root, env, stdio: 'inherit'});
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.once('error', reject);
    child.once('exit', code => resolve(code ?? 1));
  });

/** What each server that was started called itself: name → version. */
const readSeen = async file => {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(line => line !== '');
  return new Map(lines.map(line => JSON.parse(line)).map(({name, version}) => [name, version]));
};

/** The servers that a title names: `postgres on PostgreSQL 15`, `dynoxide, PostgreSQL 18 and 'FerretDB'`. */
const serversIn = title => title.replaceAll("'", '').split(/, | and | on | to | from /);

/** How many tests a server was in, by what vitest wrote. */
const countTests = async file => {
  const {testResults} = JSON.parse(await readFile(file, 'utf8'));
  const tests = testResults.flatMap(({assertionResults}) => assertionResults);
  return (name, status) =>
    tests.filter(test => test.status === status && test.ancestorTitles.flatMap(serversIn).includes(name))
      .length;
};

const main = async () => {
  const {names, missing} = await installServers(line => console.log(`servers: ${line}`));
  if (inCi && missing.length > 0) return 1;
  const mongodb = process.env.SESSTUI_TEST_MONGO_URL ? ['MongoDB'] : [];
  const folder = await mkdtemp(join(tmpdir(), 'sesstui-servers-'));
  try {
    const results = process.env.VITEST_RESULTS || join(folder, 'results.json');
    const seenFile = join(folder, 'seen');
    const more = process.argv.slice(2);
    const code = await vitest([...config, ...more], {
      ...process.env,
      SESSTUI_TEST_SERVERS: names.join(',') || 'none',
      SESSTUI_TEST_PG: names.some(name => name.startsWith('PostgreSQL')) ? 'server' : '',
      SESSTUI_SERVERS_SEEN: seenFile,
      VITEST_RESULTS: results,
    });
    const seen = await readSeen(seenFile);
    const count = await countTests(results);
    console.log('Tested on:');
    let untested = 0;
    for (const name of [...names, ...mongodb]) {
      const [passed, failed] = [count(name, 'passed'), count(name, 'failed')];
      const version = seen.get(name) ?? 'was not started';
      console.log(`  ${name.padEnd(15)} ${version.padEnd(32)} ${passed} passed, ${failed} failed`);
      if (passed === 0) untested++;
    }
    // Of a part of the tests nobody expects every server.
    return code === 0 && untested > 0 && more.length === 0 ? 1 : code;
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
};

process.exitCode = await main();
