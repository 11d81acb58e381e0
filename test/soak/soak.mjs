// Three watches that clean the demo's stores under traffic, one of them killed again and again; everything that the
// watch promises is looked at by others meanwhile. Prints a table, and exits 1 when something did not hold.
// Usage: npm run test:soak [-- --minutes 10]
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import parsePrometheus from 'parse-prometheus-text-format';
import {parse, stringify} from 'yaml';
import {call, start} from './children.mjs';
import {openGate, openReceiver} from './network.mjs';
import {openSessions} from './sessions.mjs';
import {appliedOnce, damagedMemory, growthPerMinute, outOfTurn} from './state.mjs';

const {values} = parseArgs({options: {minutes: {type: 'string', default: '2'}}});
const minutes = Number(values.minutes);
const everyMs = 2000;
const waitingMs = 5000;
/** The database's clock is read a little after the row is, and a busy machine is late now and then. */
const graceMs = 1000;
/** Node's heap grows lazily: in minutes only what is left of it after a collection tells something. */
const mostGrowthMb = minutes < 5 ? {heap: 6, resident: 30} : {heap: 1, resident: 3};

const cwd = mkdtempSync(join(tmpdir(), 'sesstui-soak-'));
console.log(`soak of ${minutes} minutes in ${cwd}`);
const demo = start(['demo', '--out', 'demo.yaml', '--seed', '5', '--rows', '60'], {cwd});
await demo.said(/Look at them with/);

const config = parse(readFileSync(join(cwd, 'demo.yaml'), 'utf8'));
const mongo = new URL(config.stores.chat.url);
const gate = await openGate(Number(mongo.port));
mongo.port = String(gate.port);
config.stores.chat.url = mongo.href;
Object.assign(config.stores.rides.checks[0], {
  waitingAfter: `${waitingMs / 1000}s`,
  requestAfter: '5s',
  orphanedAfter: '8s',
  veryStaleAfter: '20s',
});
writeFileSync(join(cwd, 'all.yaml'), stringify(config), {mode: 0o600});
// The demo's PostgreSQL has one backend: what only one state directory cleans need not be looked at by both.
const {rides, chat} = config.stores;
const some = {...config, identities: [], stores: {rides, chat}};
writeFileSync(join(cwd, 'some.yaml'), stringify(some), {mode: 0o600});

const receiver = await openReceiver();
const copies = [
  {name: 'one', state: 'state-shared', hook: '/shared', config: 'all.yaml'},
  {name: 'two', state: 'state-own', hook: '/own', config: 'some.yaml'},
  {name: 'three', state: 'state-shared', hook: '/shared', config: 'all.yaml'},
].map(copy => ({...copy, samples: [], service: null, url: '', bornAt: 0}));

const startCopy = async copy => {
  const words = 'watch --clean --every 2s --listen 127.0.0.1:0 --ndjson'.split(' ');
  const args = [...words, '--config', copy.config, '--state-dir', copy.state];
  let last = null;
  copy.service = start([...args, '--webhook', receiver.url(copy.hook)], {
    cwd,
    log: join(cwd, `${copy.name}.log`),
    onLine: line => {
      const {check, at} = JSON.parse(line);
      if (check !== 'rides/stale-sessions') return;
      if (last !== null && isWarm) longestGapMs = Math.max(longestGapMs, Date.parse(at) - last);
      last = Date.parse(at);
    },
  });
  copy.url = (await copy.service.said(/listening on (http:\S+)/))[1];
  copy.bornAt = Date.now();
  copy.samples = [];
};
let isWarm = false;
/** Between the ends of two looks of one copy: more than the interval where the machine doesn't keep up. */
let longestGapMs = 0;
for (const copy of copies) await startCopy(copy);

const sessions = await openSessions(config.stores.rides.url, waitingMs);
const scrapes = {count: 0, bad: []};
const contract = [
  'sesstui_findings',
  'sesstui_sessions',
  'sesstui_store_up',
  'sesstui_check_duration_seconds',
  'sesstui_changes_total',
  'sesstui_blocked_customers',
  'sesstui_last_success_timestamp_seconds',
];
const scrape = async copy => {
  scrapes.count++;
  try {
    const families = parsePrometheus(await (await fetch(`${copy.url}/metrics`)).text());
    const names = families.map(({name}) => name);
    const heap = families.find(({name}) => name === 'nodejs_heap_size_used_bytes');
    if (Date.now() - copy.bornAt > warmUpMs)
      copy.samples.push([
        Date.now() / 60_000,
        copy.service.residentMb(),
        Number(heap.metrics[0].value) / 2 ** 20,
      ]);
    const missing = contract.filter(name => !names.includes(name));
    if (missing.length > 0) scrapes.bad.push(`${copy.name} lacks ${missing}`);
    const health = await fetch(`${copy.url}/healthz`);
    if (health.status !== 200) scrapes.bad.push(`${copy.name} /healthz ${await health.text()}`);
    else await health.text();
  } catch (error) {
    scrapes.bad.push(`${copy.name}: ${error.message} ${error.cause?.code ?? ''}`);
  }
};

const begun = Date.now();
const warmUpMs = Math.min(40_000, minutes * 60_000 * 0.3);
const elapsed = () => Date.now() - begun;
/** What happens in the middle of it, each once when its part of the time is over. */
const kill = async copy => {
  await copy.service.end('SIGKILL');
  await startCopy(copy);
};
const events = [
  [0.35, 'one is killed', () => kill(copies[0])],
  [0.5, 'chat is gone', async () => gate.shut()],
  [0.6, 'chat is back', async () => gate.open()],
  [0.65, 'two is killed', () => kill(copies[1])],
];
let round = 0;
while (elapsed() < minutes * 60_000) {
  await sessions.look();
  if (!isWarm && elapsed() > Math.min(15_000, warmUpMs)) {
    isWarm = true;
    sessions.restart();
  }
  if (events.length > 0 && elapsed() > events[0][0] * minutes * 60_000) {
    const [, text, happen] = events.shift();
    console.log(`${Math.round(elapsed() / 1000)} s: ${text}`);
    await happen();
  }
  if (round++ % 4 === 0) for (const copy of copies) await scrape(copy);
  await pause(500);
}

const measured = copies.map(({samples}) => samples);
// Who was never killed has been measured for longest; the others still warm up.
const growth = [growthPerMinute(measured[2])];
const mostResidentMb = 300;
const resident = measured.map(samples => Math.round(Math.max(0, ...samples.map(([, mb]) => mb))));
const codes = await Promise.all(copies.map(copy => copy.service.end('SIGTERM')));
// What a stop has cut short is finished by the next start.
const finish = async copy => {
  for (let time = 0; time < 5; time++) {
    await startCopy(copy);
    await pause(4 * everyMs);
    if ((await copy.service.end('SIGTERM')) === 0) return;
  }
};
await Promise.all(copies.slice(0, 2).map(finish));
const histories = await Promise.all(
  copies.slice(0, 2).map(async ({state}) => {
    const {stdout} = await call(['history', '--json', '--limit', '100000', '--state-dir', state], cwd);
    const verified = await call(['history', '--verify', '--state-dir', state], cwd);
    return {runs: JSON.parse(stdout).runs, verified: verified.code};
  }),
);
await sessions.close();
await demo.end('SIGTERM');
gate.close();
receiver.close();

const stays = copies.slice(0, 2).map(({state}) => appliedOnce(join(cwd, state)));
const changes = stays.flatMap(stay => stay.changes);
const twice = changes.length - new Set(changes).size;
const alerts = copies.slice(0, 2).map(({hook}) => outOfTurn(receiver.posted(hook)));
const downs = copies
  .slice(0, 2)
  .map(
    ({hook}) =>
      receiver.posted(hook).filter(({alert, of}) => alert === 'store-down' || of === 'store-down').length,
  );
const untold = copies.slice(0, 2).flatMap(({hook}, index) => {
  const told = new Set(receiver.posted(hook).map(({run}) => run));
  return [...stays[index].cancelling].filter(run => !told.has(run));
});
const interrupted = histories.flatMap(({runs}) => runs.filter(({state}) => state === 'interrupted'));
const damaged = copies.slice(0, 2).flatMap(({state}) => damagedMemory(join(cwd, state)));
const {seen} = sessions;

/** A row that turns stale in one look is cleaned by the end of the next: two of them, where they outlast the interval. */
const keepsUp = longestGapMs <= everyMs + graceMs;
const mostMs = keepsUp ? everyMs + graceMs : 2 * longestGapMs;

const table = [
  [
    'longest from look to look',
    `${longestGapMs} ms`,
    keepsUp ? 'kept up' : 'the machine did not keep up',
    longestGapMs > 0,
  ],
  [
    'stale sessions stand at most',
    `${Math.round(seen.longestMs)} ms (${seen.longest})`,
    `${Math.round(mostMs)} ms`,
    seen.longestMs <= mostMs,
  ],
  [
    'active sessions cancelled',
    `${seen.cancelledActive.length} of ${seen.active}`,
    '0',
    seen.cancelledActive.length === 0 && seen.active > 0,
  ],
  ['sessions cancelled too young', seen.cancelledYoung.length, '0', seen.cancelledYoung.length === 0],
  ['rows cleaned twice', `${twice} of ${changes.length}`, '0', twice === 0 && changes.length > 0],
  ['runs', stays.map(({runs}) => runs).join(' + '), '> 0', stays.every(({runs}) => runs > 0)],
  ['runs left interrupted', interrupted.length, '0', interrupted.length === 0],
  [
    'history --verify',
    histories.map(({verified}) => verified).join(', '),
    '0, 0',
    histories.every(({verified}) => verified === 0),
  ],
  ['memory damaged', damaged.length, '0', damaged.length === 0],
  [
    'alerts begun',
    alerts.map(({begun: count}) => count).join(' + '),
    '> 0',
    alerts.every(alert => alert.begun > 0),
  ],
  [
    'alerts out of turn',
    alerts.flatMap(({wrong}) => wrong).join('; ') || 0,
    '0',
    alerts.every(({wrong}) => wrong.length === 0),
  ],
  ['store-down and its end', downs.join(' + '), '2 + 2', downs.every(count => count === 2)],
  ['cancelling runs that no message told', untold.length, '0', untold.length === 0],
  [
    '/metrics and /healthz',
    `${scrapes.bad.length} of ${scrapes.count} bad ${scrapes.bad.slice(0, 3).join('; ')}`,
    '0',
    scrapes.bad.length === 0,
  ],
  [
    'heap grows, MB a minute',
    growth.map(({heap}) => heap.toFixed(1)).join(', '),
    `${mostGrowthMb.heap}`,
    growth.every(({heap}) => heap <= mostGrowthMb.heap),
  ],
  [
    'resident memory grows, MB a minute',
    growth.map(({resident}) => resident.toFixed(1)).join(', '),
    `${mostGrowthMb.resident}`,
    growth.every(({resident}) => resident <= mostGrowthMb.resident),
  ],
  [
    'resident memory, MB at most',
    resident.join(', '),
    `${mostResidentMb}`,
    resident.every(mb => mb > 0 && mb <= mostResidentMb),
  ],
  ['exit codes after SIGTERM', codes.join(', '), '0 or 130', codes.every(code => code === 0 || code === 130)],
];
const width = index => Math.max(...table.map(row => String(row[index]).length));
const widths = [0, 1, 2].map(width);
for (const [what, value, bound, ok] of table)
  console.log(
    `${ok ? 'ok  ' : 'FAIL'}  ${what.padEnd(widths[0])}  ${String(value).padEnd(widths[1])}  ${bound}`,
  );
console.log(`messages posted again: ${receiver.repeated()}`);
process.exitCode = table.every(row => row[3]) ? 0 : 1;
