/**
 * The command line on a network that goes and stays away while a run writes, on one that is slow, and undo after
 * somebody else has edited what the run left.
 */
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Caller, openCaller} from './network-cli.js';
import {type Behind, networkServers} from './network-servers.js';
import {differences, liesOf, snapshotOf} from './network-truth.js';
import {record} from './record.js';

const groups = 2;

/** Where in a run the network goes: each is waited for until every attempt has run out of time. */
const parts = process.env.SESSTUI_ROUNDS === undefined ? [0.4, 0.75] : [0.25, 0.5, 0.75];

describe.each(networkServers)('the command line and a bad network, on $name', ({name, runs, start}) => {
  let behind: Behind;
  let caller: Caller;
  const task = runs[0]!;

  beforeAll(async () => {
    behind = await start();
    caller = await openCaller(behind.config);
  });
  afterAll(() => behind.stop());

  const fresh = async () => {
    await behind.system.reset(groups);
    return snapshotOf(behind.system);
  };

  test('a network that goes while the run writes: exit 4, no lie, and undo brings back all but what it names', async () => {
    const {system, proxy} = behind;
    await fresh();
    proxy.arm(null);
    expect((await caller.clean(task, '--dry-run')).code).toBe(0);
    const planning = proxy.count;
    await fresh();
    proxy.arm(null);
    expect((await caller.clean(task)).code).toBe(0);
    const whole = proxy.count;
    const sentences: string[] = [];
    let unknown = 0;
    const points = parts.map(part => Math.floor(planning + (whole - planning) * part));
    for (const message of points) {
      const before = await fresh();
      proxy.arm('down', message);
      const {code, json} = await caller.clean(task, '--timeout', '3s');
      expect(proxy.fired).toBe(true);
      const now = await snapshotOf(system);
      proxy.arm(null);
      if (json.error) {
        expect(code).toBe(3);
        sentences.push(...differences(before, now));
        continue;
      }
      unknown += json.unknown;
      expect(code).toBe(json.failed + json.unknown > 0 || (json.faults ?? []).length > 0 ? 4 : 0);
      sentences.push(...liesOf(system, json, before, now));
      if (json.applied + json.unknown === 0) continue;
      const undone = await caller.undo(json.run!);
      const left = new Set(undone.json.changes.filter(({result}) => result !== 'applied').map(system.nameOf));
      expect(undone.code).toBe(left.size > 0 ? 4 : 0);
      sentences.push(
        ...differences(before, await snapshotOf(system)).filter(text => !left.has(text.split(' ')[0]!)),
      );
    }
    record({
      requirement: 'S5',
      fault: 'the network gone for good while a run writes',
      server: name,
      rounds: points.length,
      violations: sentences.length,
      note: `${unknown} changes told as unknown`,
    });
    expect(sentences).toEqual([]);
  }, 300_000);

  test('a message that comes late is waited for', async () => {
    const before = await fresh();
    behind.proxy.arm('slow', 12);
    const {code, json} = await caller.clean(task);
    expect({code, fired: behind.proxy.fired, applied: json.applied}).toEqual({
      code: 0,
      fired: true,
      applied: json.planned,
    });
    const lies = liesOf(behind.system, json, before, await snapshotOf(behind.system));
    record({
      requirement: 'S7',
      fault: 'a message that comes late',
      server: name,
      rounds: 1,
      violations: lies.length,
    });
    expect(lies).toEqual([]);
  }, 120_000);

  test('what somebody edited since the run is left alone by undo, which says so', async () => {
    const {system, proxy} = behind;
    const before = await fresh();
    proxy.arm(null);
    const {json} = await caller.clean(runs.at(-1)!);
    // Deleted rows come to be again by someone else's hand, updated ones are touched.
    const edited = json.changes.filter(({table}) => !table.includes('accounts')).slice(0, 2);
    for (const change of edited) {
      const row = system.nameOf(change);
      const group =
        change.op === 'delete' ? before.rows.get(row)!.group : (await system.rows()).get(row)!.group;
      const done =
        change.op === 'delete'
          ? await system.insert(group, row, 'edited')
          : await system.touch(row, 'edited', group);
      expect(done).toBe(true);
    }
    const undone = await caller.undo(json.run!);
    expect(undone.code).toBe(4);
    expect(undone.json.skipped).toBeGreaterThanOrEqual(edited.length);
    const names = new Set(edited.map(system.nameOf));
    const skipped = new Set(
      undone.json.changes.filter(({result}) => result === 'skipped').map(system.nameOf),
    );
    const now = await snapshotOf(system);
    const wrong = [
      ...[...names].filter(row => now.rows.get(row)?.stamp !== 'edited').map(row => `${row} was overwritten`),
      ...[...names].filter(row => !skipped.has(row)).map(row => `${row} was not told`),
      ...differences(before, now).filter(text => !skipped.has(text.split(' ')[0]!)),
    ];
    record({
      requirement: 'S9',
      fault: 'rows edited between a run and its undo',
      server: name,
      rounds: edited.length,
      violations: wrong.length,
    });
    expect(wrong).toEqual([]);
  }, 120_000);
});
