// `npm run test:faults [-- --rounds N] [FILE…] [-t NAME]`: the fault suite, then a table of what was injected where.
// Ends with 1 when a test failed, a violation was recorded or, under CI, a requirement has no record.
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {parseArgs} from 'node:util';
import {summed, table, unproven} from './table.mjs';

const {values, positionals} = parseArgs({
  options: {rounds: {type: 'string'}, name: {type: 'string', short: 't'}},
  allowPositionals: true,
});
if (values.rounds !== undefined && !/^[1-9]\d*$/.test(values.rounds)) {
  process.stderr.write('--rounds wants a whole number\n');
  process.exit(2);
}

const directory = mkdtempSync(join(tmpdir(), 'sesstui-faults-'));
const file = join(directory, 'record.ndjson');
writeFileSync(file, '');

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const filters = positionals.map(filter => (filter.includes('/') ? filter : `test/faults/${filter}`));
const names = values.name === undefined ? [] : ['-t', values.name];
const suite = spawn(
  process.execPath,
  [vitest, 'run', ...(filters.length > 0 ? filters : ['test/faults/']), ...names],
  {
    cwd: resolve(import.meta.dirname, '../..'),
    stdio: 'inherit',
    env: {
      ...process.env,
      SESSTUI_TEST_FAULTS: '1',
      // The suite runs on the servers that nobody here wrote.
      SESSTUI_TEST_SERVERS: '1',
      SESSTUI_TEST_PG: 'server',
      SESSTUI_FAULTS_RECORD: file,
      ...(values.rounds ? {SESSTUI_ROUNDS: values.rounds} : {}),
    },
  },
);

// Who ends this ends the suite, which stops the servers that it started.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => suite.kill(signal));
const status = await new Promise(done => suite.on('close', code => done(code)));

const records = readFileSync(file, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map(line => JSON.parse(line));
rmSync(directory, {recursive: true, force: true});

const lines = summed(records);
const total = name => lines.reduce((sum, line) => sum + line[name], 0);
const missing = filters.length + names.length > 0 ? [] : unproven(records);
process.stdout.write(`\n${table(lines)}\n\n`);
process.stdout.write(`${total('rounds')} rounds, ${total('violations')} violations.\n`);
if (missing.length > 0) process.stdout.write(`Nothing was recorded for ${missing.join(', ')}.\n`);
const bad = status !== 0 || total('violations') > 0 || (process.env.CI === 'true' && missing.length > 0);
process.exit(bad ? 1 : 0);
