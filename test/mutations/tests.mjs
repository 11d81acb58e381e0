// Building the copy and running tests in it.
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, relative} from 'node:path';
import {machinePostgres, postgresVersion} from '../servers/postgres.mjs';

/** Nothing that is run here takes so long, unless it hangs. */
const longestMs = 300_000;

/** Runs a program to its end; its output is kept for the case that it fails. */
const run = (program, args, {cwd, env = {}}) =>
  new Promise((done, fail) => {
    const child = spawn(program, args, {
      cwd,
      env: {...process.env, ...env},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', text => {
        output = (output + text).slice(-20_000);
      });
    }
    const limit = setTimeout(() => child.kill(), longestMs);
    const end = () => child.kill();
    process.once('exit', end);
    child.once('error', fail);
    child.once('close', code => {
      clearTimeout(limit);
      process.off('exit', end);
      done({code, output});
    });
  });

/** Compiles the copy; the compiler's words when it can't. */
export const build = async copy => {
  const {code, output} = await run(join(copy, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.json'], {cwd: copy});
  return code === 0 ? null : output.trim().split('\n').slice(-3).join(' ');
};

/** What the fault suite sets, with only the servers that are wanted. `PostgreSQL` is the machine's, whatever its version. */
const serverEnvironment = async servers => {
  const names = [];
  for (const name of servers)
    names.push(
      name === 'PostgreSQL'
        ? /^PostgreSQL \d+/.exec(await postgresVersion(await machinePostgres()))[0]
        : name,
    );
  return {
    SESSTUI_TEST_FAULTS: '1',
    SESSTUI_TEST_SERVERS: names.join(',') || 'none',
    SESSTUI_TEST_PG: names.some(name => name.startsWith('PostgreSQL')) ? 'server' : '',
  };
};

const escaped = text => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** A first line for people, without colours. */
const firstLine = text =>
  text
    .replaceAll(/\x1b\[[0-9;]*m/g, '')
    .split('\n')[0]
    .slice(0, 160);

/**
 * Runs tests in the copy: `{file, name}`, a name is a part of the test's own. `bail` ends at the first failure.
 *
 * @returns {Promise<{found: {file: string, name: string, status: string, message: string}[], output: string}>} the
 * tests that have one of the names, whatever vitest's exit code is
 */
export const runTests = async (copy, tests, {servers, bail = false}) => {
  const folder = mkdtempSync(join(tmpdir(), 'sesstui-mutations-results-'));
  const results = join(folder, 'results.json');
  try {
    const args = [
      join(copy, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...new Set(tests.map(({file}) => file)),
    ];
    args.push('-t', tests.map(({name}) => escaped(name)).join('|'));
    args.push('--reporter=json', `--outputFile=${results}`, ...(bail ? ['--bail=1'] : []));
    const env = {
      ...(servers ? await serverEnvironment(servers) : {}),
      CI: '',
      NO_COLOR: '1',
      VITEST_RESULTS: '',
    };
    const {output} = await run(process.execPath, args, {cwd: copy, env});
    return {found: read(copy, results, tests), output};
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
};

const read = (copy, results, tests) => {
  let report;
  try {
    report = JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    return [];
  }
  return report.testResults.flatMap(({name: path, assertionResults}) => {
    const file = relative(copy, path);
    return assertionResults
      .map(({fullName, status, failureMessages}) => ({
        file,
        name: fullName,
        status,
        message: firstLine(failureMessages?.[0] ?? ''),
      }))
      .filter(
        ({name, status}) =>
          ['passed', 'failed'].includes(status) &&
          tests.some(test => file.endsWith(test.file) && name.includes(test.name)),
      );
  });
};
