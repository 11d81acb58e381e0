/** The rides functions under concurrent callers, on any store. */
import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {readAudit} from '../../source/engine/disk/audit.js';
import {listRuns} from '../../source/engine/disk/run-files.js';
import {verifyState} from '../../source/engine/disk/verify.js';
import {open as openWith} from '../../source/library/open.js';
import {openSesstui, type Sesstui} from '../../source/library.js';
import {temporaryDirectory} from '../support/cli.js';
import type {RideRow, RidesStage} from './rides-stage.js';

/** So many things, numbered. */
const some = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({length: count}, (_, i) => make(i));

const waiting = (id: string, customer: string, minutes: number): RideRow => ({
  id,
  customer,
  status: 'waiting',
  minutes,
});
const bound = (target: object, name: string | symbol): unknown => {
  const member: unknown = Reflect.get(target, name, target);
  return typeof member === 'function' ? member.bind(target) : member;
};
const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

export const ridesSuite = (name: string, start: () => Promise<RidesStage>, callers: number): void => {
  describe(name, () => {
    let stage: RidesStage;
    let stateDirectory: string;
    const opened: Sesstui[] = [];

    beforeAll(async () => {
      stage = await start();
      process.env.AWS_ACCESS_KEY_ID ??= 'local';
      process.env.AWS_SECRET_ACCESS_KEY ??= 'local';
    });
    afterEach(async () => {
      for (const sesstui of opened.splice(0)) await sesstui.close();
    });
    afterAll(() => stage.close());

    const open = async (): Promise<Sesstui> => {
      stateDirectory = await temporaryDirectory();
      return openMore();
    };
    const openMore = async (): Promise<Sesstui> => {
      const sesstui = await openSesstui({
        config: {environment: 'test', stores: {rides: stage.store}},
        stateDirectory,
      });
      opened.push(sesstui);
      return sesstui;
    };
    /** Every row that was cancelled was cancelled by one run, and the audit is whole. */
    const expectOnce = async (applied: number): Promise<void> => {
      const runs = await listRuns(stateDirectory);
      expect(sum(runs.map(run => run.applied))).toBe(applied);
      expect(runs.every(({state}) => state === 'done')).toBe(true);
      expect(await verifyState(stateDirectory)).toEqual([]);
      expect((await readAudit(stateDirectory)).filter(({event}) => event === 'run')).toHaveLength(
        runs.length,
      );
    };

    test(`${callers} callers for one customer: each stale row is cancelled once, and all are told that it is free`, async () => {
      await stage.fill([
        waiting('s1', 'c1', 42),
        waiting('s2', 'c1', 16),
        {...waiting('s3', 'c1', 90), status: 'completed'},
        waiting('s4', 'c2', 42),
      ]);
      const sesstui = await open();
      const told = await Promise.all(some(callers, () => sesstui.checkCustomerSessionStatus('c1')));
      expect(told.map(({blocked, blockedBy}) => ({blocked, blockedBy}))).toEqual(
        some(callers, () => ({blocked: false, blockedBy: []})),
      );
      expect(sum(told.map(({cleaned}) => cleaned))).toBe(2);
      expect(await stage.statuses()).toEqual({
        s1: 'cancelled',
        s2: 'cancelled',
        s3: 'completed',
        s4: 'waiting',
      });
      await expectOnce(2);
    });

    test(`${callers} callers for as many customers: each is freed of its own, in few runs`, async () => {
      await stage.fill(
        some(callers, i => waiting(`s${i}`, `c${i}`, 42)),
        some(callers, i => ({
          id: `r${i}`,
          customer: `c${i}`,
          status: 'pending',
          minutes: i % 2 ? 1 : 20,
          session: `s${i}`,
        })),
      );
      const sesstui = await open();
      const began = performance.now();
      const told = await Promise.all(some(callers, i => sesstui.checkCustomerSessionStatus(`c${i}`)));
      // One run after the other, each with its own plan, would take minutes; this machine may be busy.
      expect(performance.now() - began).toBeLessThan(30_000);
      expect(told.map(({cleaned}) => cleaned)).toEqual(some(callers, () => 1));
      expect(told.map(({blocked}) => blocked)).toEqual(some(callers, i => i % 2 === 1));
      expect(told.flatMap(({blockedBy}) => blockedBy.map(({id}) => id))).toEqual(
        some(callers, i => `r${i}`).filter((_, i) => i % 2),
      );
      expect((await listRuns(stateDirectory)).length).toBeLessThan(9);
      await expectOnce(callers + Math.ceil(callers / 2));
    });

    test('two libraries at once, as two processes have them: each row is cancelled once', async () => {
      await stage.fill(some(20, i => waiting(`s${i}`, `c${i % 4}`, 42)));
      const both = [await open(), await openMore()];
      const told = await Promise.all(
        some(callers, i => both[i % 2]!.checkCustomerSessionStatus(`c${Math.floor(i / 2) % 4}`)),
      );
      expect(told.every(({blocked}) => !blocked)).toBe(true);
      expect(Object.values(await stage.statuses())).toEqual(some(20, () => 'cancelled'));
      const applied = sum((await listRuns(stateDirectory)).map(run => run.applied));
      expect(sum(told.map(({cleaned}) => cleaned))).toBe(applied);
      if (stage.atomic) expect(applied).toBe(20);
    });

    test('sessions that become active meanwhile are never cancelled', async () => {
      const rows = some(40, i => waiting(`s${i}`, `c${i % 10}`, 42));
      await stage.fill(rows);
      const sesstui = await open();
      const taken = rows.filter((_, i) => i % 3 === 0).map(({id}) => id);
      const accept = async (): Promise<void> => {
        for (const id of taken) await stage.setStatus(id, 'live');
      };
      const [told] = await Promise.all([
        Promise.all(some(callers, i => sesstui.checkCustomerSessionStatus(`c${i % 10}`))),
        accept(),
      ]);
      const after = await stage.statuses();
      // The other client overwrites whatever it finds, so what it took is live unless it was cancelled after that.
      expect(taken.map(id => after[id])).toEqual(taken.map(() => 'live'));
      expect(rows.filter(({id}) => !taken.includes(id)).every(({id}) => after[id] === 'cancelled')).toBe(
        true,
      );
      expect(told.every(({blockedBy}) => blockedBy.every(({status}) => status === 'live'))).toBe(true);
    });

    test('a session that is accepted between the plan and the write stays, and blocks', async () => {
      await stage.fill([waiting('s1', 'c1', 42), waiting('s2', 'c1', 42)]);
      stateDirectory = await temporaryDirectory();
      const acceptFirst: typeof openConnector = async (...settings) => {
        const connector = await openConnector(...settings);
        const apply: typeof connector.apply = async (...given) => {
          await stage.setStatus('s1', 'live');
          return connector.apply(...given);
        };
        return new Proxy(connector, {
          get: (target, name) => (name === 'apply' ? apply : bound(target, name)),
        });
      };
      const sesstui = await openWith(
        {config: {environment: 'test', stores: {rides: stage.store}}, stateDirectory},
        acceptFirst,
      );
      opened.push(sesstui);
      expect(await sesstui.checkCustomerSessionStatus('c1')).toEqual({
        blocked: true,
        blockedBy: [
          {
            store: 'rides',
            check: 'rides/stale-sessions',
            id: 's1',
            status: 'live',
            // DynamoDB tells its time to the second.
            ageSeconds: expect.closeTo(2520, -1),
            stale: false,
          },
        ],
        cleaned: 1,
      });
      expect(await stage.statuses()).toEqual({s1: 'live', s2: 'cancelled'});
    });

    test(`${callers} full cleanups at once cancel each row once, and what they tell adds up`, async () => {
      await stage.fill(
        [...some(12, i => waiting(`s${i}`, `c${i}`, 42)), waiting('fresh', 'c1', 2)],
        [{id: 'r1', customer: 'c20', status: 'pending', minutes: 20}],
      );
      const sesstui = await open();
      const told = await Promise.all(some(callers, () => sesstui.runFullCleanup()));
      expect(sum(told.map(({totalCleaned}) => totalCleaned))).toBe(13);
      expect(told.filter(({runs}) => runs.length > 0)).toEqual([
        {
          totalCleaned: 13,
          sessionsCancelled: 12,
          requestsCancelled: 1,
          skipped: 0,
          failed: 0,
          unknown: 0,
          runs: [expect.any(String)],
          customers: expect.arrayContaining(some(12, i => `c${i}`)),
        },
      ]);
      await expectOnce(13);
      expect((await stage.statuses()).fresh).toBe('waiting');
    });

    test('each cleanup takes its own kind, by the age that is given', async () => {
      const rows = [
        waiting('five', 'c1', 5),
        waiting('ten', 'c2', 10),
        waiting('asked', 'c3', 12),
        waiting('other', 'c4', 50),
      ];
      const requests = [
        {id: 'r-asked', customer: 'c3', status: 'pending', minutes: 8, session: 'asked'},
        {id: 'r-other', customer: 'c4', status: 'accepted', minutes: 50, session: 'other'},
      ];
      await stage.fill(rows, requests);
      const sesstui = await open();
      expect(await sesstui.cleanupOrphanedSessions()).toMatchObject({totalCleaned: 0, runs: []});
      expect(await sesstui.cleanupOrphanedSessions(9)).toMatchObject({totalCleaned: 1, customers: ['c2']});
      expect(await sesstui.cleanupCustomerWaitingSessions('c1', 6)).toMatchObject({totalCleaned: 0});
      expect(await sesstui.cleanupCustomerWaitingSessions('c1', 4.5)).toMatchObject({totalCleaned: 1});
      expect(await sesstui.cleanupCustomerWaitingSessions('c4', 60)).toMatchObject({totalCleaned: 0});
      expect(await sesstui.cleanupExpiredRequests(7)).toMatchObject({
        totalCleaned: 2,
        sessionsCancelled: 1,
        requestsCancelled: 1,
      });
      expect(await stage.statuses()).toEqual({
        five: 'cancelled',
        ten: 'cancelled',
        asked: 'cancelled',
        other: 'waiting',
        'r-asked': 'cancelled',
        'r-other': 'accepted',
      });
      expect((await listRuns(stateDirectory)).map(({note}) => note)).toEqual([
        'library: cleanupExpiredRequests',
        'library: cleanupCustomerWaitingSessions',
        'library: cleanupOrphanedSessions',
      ]);
    });
  });
};
