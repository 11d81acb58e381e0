// What sesstui costs beside what it has to do anyway: ratios of medians, both measured in this run.
// Usage: npm run bench
import {execFileSync} from 'node:child_process';
import {mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {PGlite} from '@electric-sql/pglite';
import {PGLiteSocketServer} from '@electric-sql/pglite-socket';
import pg from 'pg';
import {openConnector} from '../../dist/connectors/index.js';
import {configFromObject} from '../../dist/source/config/load.js';
import {openEngine} from '../../dist/source/engine/engine.js';

const median = numbers => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const time = async (work, runs = 9) => {
  await work();
  const took = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await work();
    took.push(performance.now() - start);
  }
  return median(took);
};
const tell = (what, ours, theirs, than) =>
  console.log(
    `${what}: ${ours.toFixed(1)} ms, ${(ours / theirs).toFixed(2)} × ${than} (${theirs.toFixed(1)} ms)`,
  );

const db = await PGlite.create();
const server = new PGLiteSocketServer({db, port: 0, host: '127.0.0.1', maxConnections: 20});
await server.start();
const url = `postgres://postgres@${server.getServerConn()}/postgres?sslmode=disable`;
const client = new pg.Client({connectionString: url});
await client.connect();
const rows = 100_000;
await client.query(`create table keys (id int primary key, account text, seen timestamptz);
  insert into keys select i, 'acc-' || i - (i % 100 = 0)::int, now() - i * interval '1 second' from generate_series(1, ${rows}) i;
  analyze keys`);
const {config} = configFromObject({
  environment: 'test',
  stores: {
    db: {
      kind: 'postgres',
      url,
      checks: [{check: 'duplicates', table: 'keys', groupBy: ['account'], latestBy: ['seen']}],
    },
  },
});
const engine = openEngine(config, {
  stateDirectory: mkdtempSync(join(tmpdir(), 'sesstui-bench-')),
  open: openConnector,
});

console.log(
  `PostgreSQL (PGlite) with ${rows} rows and ${rows / 100} duplicate groups; Node ${process.version}`,
);
const grouped = await time(() =>
  client.query('select account from keys group by account having count(*) > 1'),
);
const check = await time(() => engine.check('db/duplicates', {limit: 200}));
tell('check, its first 200 findings and all totals', check, grouped, 'the raw GROUP BY … HAVING');
const deep = await time(() => engine.check('db/duplicates', {offset: 800, limit: 200}));
tell('the last page of the same', deep, check, 'the first page');
const joined = await time(() =>
  client.query(
    'select k.*, (k.*)::text from keys k join (select account from keys group by account having count(*) > 1) g using (account)',
  ),
);
const plan = await time(() => engine.plan('db/duplicates', 'keep-latest', {}), 5);
tell(`plan of ${rows / 100} changes with before-images`, plan, joined, 'reading those rows whole');

const cli = fileURLToPath(new URL('../../dist/source/cli.js', import.meta.url));
const node = await time(async () => execFileSync(process.execPath, ['-e', '']));
const help = await time(async () => execFileSync(process.execPath, [cli, '--help']));
tell('sesstui --help', help, node, 'an empty Node process');

await engine.close();
await client.end();
await server.stop();
await db.close();
