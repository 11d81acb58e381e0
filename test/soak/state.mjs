// What lies in a state directory after the soak: who changed which row, and whether it is all in order.
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

const lines = path =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));

/** Changes whose rows never come back under their key, so that a second one would be a row cleaned twice. */
const once = new Set(['cancel', 'assign-ids', 'delete-expired']);

/** Every change that was applied and can be made only once, as text; with the runs that cancelled sessions. */
export const appliedOnce = directory => {
  const changes = [];
  const cancelling = new Set();
  let runs = 0;
  for (const run of readdirSync(join(directory, 'runs')).filter(name => /^\d{8}T/.test(name))) {
    const at = join(directory, 'runs', run);
    let plan;
    try {
      ({plan} = lines(join(at, 'plan.jsonl'))[0]);
    } catch {
      // Killed before its plan was on disk: it changed nothing.
      continue;
    }
    runs++;
    if (!once.has(plan.action)) continue;
    const outcomes = new Map();
    for (const line of lines(join(at, 'journal.jsonl')))
      if (line.event === 'outcome') outcomes.set(`${line.unit} ${line.change}`, line.result);
    for (const record of lines(join(at, 'backup.jsonl'))) {
      if (outcomes.get(`${record.unit} ${record.change}`) !== 'applied') continue;
      changes.push(`${plan.check} ${plan.action} ${record.table} ${JSON.stringify(record.identity.at)}`);
      if (record.table === 'sessions') cancelling.add(run);
    }
  }
  return {runs, changes, cancelling};
};

/** Files of the watch's memory that are not whole. */
export const damagedMemory = directory =>
  readdirSync(join(directory, 'watch')).filter(name => {
    if (name.endsWith('.damaged')) return true;
    if (!name.endsWith('.json')) return false;
    try {
      JSON.parse(readFileSync(join(directory, 'watch', name), 'utf8'));
      return false;
    } catch {
      return true;
    }
  });

/** Alerts of one receiver that began twice without an end between, or ended without a beginning. */
export const outOfTurn = messages => {
  const open = new Set();
  const wrong = [];
  let begun = 0;
  for (const {alert, of, store, check} of messages) {
    if (alert === 'sessions-cancelled') continue;
    const key = `${alert === 'resolved' ? of : alert} ${store} ${check}`;
    if (alert === 'resolved' ? !open.delete(key) : open.has(key)) wrong.push(`${alert} ${key}`);
    if (alert !== 'resolved') {
      open.add(key);
      begun++;
    }
  }
  return {wrong, begun, open: [...open]};
};

export const median = values => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.floor(sorted.length / 2)];
};

/**
 * Growth a minute between the two halves of what was measured after warming up ([minute, resident MB, heap MB]): of
 * resident memory by the medians, of the heap by the least, which is what collections leave.
 */
export const growthPerMinute = samples => {
  const half = Math.floor(samples.length / 2);
  const halves = [samples.slice(0, half), samples.slice(half)];
  if (half < 5) return {resident: 0, heap: 0};
  const of = (index, sum) => halves.map(part => sum(part.map(sample => sample[index])));
  const [from, to] = of(0, median);
  const growth = ([first, second]) => (second - first) / (to - from);
  return {resident: growth(of(1, median)), heap: growth(of(2, list => Math.min(...list)))};
};
