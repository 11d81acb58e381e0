// What going easy on a PostgreSQL costs a run of 10,000 deletes: chunks by the pacer beside chunks as large as they can be.
// Usage: npm run build && node test/bench/pacing.mjs postgres://… (the table sesstui_bench is made there, and dropped)
import pg from 'pg';
import {openPostgres} from '../../dist/connectors/postgres/index.js';
import {Pacer} from '../../dist/source/engine/run/pacing.js';

const [url] = process.argv.slice(2);
const changes = 10_000;
const client = new pg.Client(url);
await client.connect();
const connector = openPostgres({
  store: 'bench',
  environment: 'test',
  timeoutMs: 20_000,
  readOnly: false,
  url,
});
const {unitsPerApply} = connector.capabilities;
const form = {form: 'rows', from: 'sesstui_bench', where: {all: []}, show: [], tags: {}};

const unitsOf = async () => {
  await client.query(`drop table if exists sesstui_bench;
    create table sesstui_bench (id int primary key, customer text, status text, at timestamptz default now());
    insert into sesstui_bench select g, 'customer-' || g, 'waiting' from generate_series(1, ${changes}) g;
    analyze sesstui_bench`);
  const units = [];
  for await (const {rows} of connector.read(form, {now: Date.now() * 1000, full: true}))
    for (const {table, identity, version, image} of rows)
      units.push({group: null, changes: [{table, identity, version, image, op: 'delete'}]});
  return units;
};

/** Milliseconds of the whole, the longest chunk, and how many there were. */
const carryOut = async pacer => {
  const units = await unitsOf();
  const start = performance.now();
  let longest = 0;
  let chunks = 0;
  for (let from = 0; from < units.length; chunks++) {
    await pacer?.pause();
    const part = units.slice(from, from + (pacer?.next() ?? unitsPerApply));
    const began = performance.now();
    await connector.apply(part, {decideKeeper: () => -1});
    const ms = performance.now() - began;
    longest = Math.max(longest, ms);
    pacer?.after({ms, changes: part.length});
    from += part.length;
  }
  return {ms: performance.now() - start, longest, chunks};
};

let asked = 0;
const strain = async signal => {
  asked++;
  return connector.strain(signal);
};
const ways = {
  'chunks as large as they can be': () => undefined,
  'paced, without looking at the server': () => new Pacer({unitsPerApply}),
  paced: () => new Pacer({unitsPerApply, strain}),
};
const median = numbers => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const results = new Map(Object.keys(ways).map(name => [name, []]));
// By turns, so that what the machine does meanwhile falls on all of them.
for (let round = 0; round < 8; round++)
  for (const [name, pacer] of Object.entries(ways)) {
    const result = await carryOut(pacer());
    if (round > 0) results.get(name).push(result);
  }
const base = median(
  results
    .values()
    .next()
    .value.map(({ms}) => ms),
);
for (const [name, list] of results) {
  const ms = median(list.map(result => result.ms));
  const longest = median(list.map(result => result.longest));
  console.log(
    `${name}: ${ms.toFixed(0)} ms (${(ms / base).toFixed(2)} ×), ${list[0].chunks} chunks, the longest ${longest.toFixed(0)} ms`,
  );
}
const times = [];
for (let n = 0; n < 200; n++) {
  const began = performance.now();
  await connector.strain();
  times.push(performance.now() - began);
}
console.log(`one look at the server: ${median(times).toFixed(1)} ms; asked ${asked} times in 8 runs`);
await client.query('drop table sesstui_bench');
await client.end();
await connector.close();
