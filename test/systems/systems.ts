/**
 * The five systems, whole, through the command line: for every action of every check, a dry run changes nothing,
 * the run leaves what the contract says, the check agrees, and undo puts every row back byte for byte.
 */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {stringify} from 'yaml';
import {type DemoAddresses, demoConfig} from '../../source/demo/config.js';
import {demoSystems} from '../../source/demo/seed-stores.js';
import {cli, cliJson, temporaryDirectory} from '../support/cli.js';
import {dumpDynamodb, dumpMongodb, dumpPostgres} from '../support/dumps.js';
import {guardTests} from './guards.js';

export type Stores = DemoAddresses & {close: () => Promise<void>};

type RunJson = {
  run: string | null;
  dryRun: boolean;
  check: string;
  action: string;
  planned: number;
  applied: number;
  skipped: number;
  failed: number;
  unknown: number;
  remaining: number | null;
  changes: {
    op: string;
    table: string;
    key: Record<string, unknown>;
    before: Record<string, unknown> | null;
    after: Record<string, unknown> | null;
    result: string;
  }[];
};
type CheckJson = {
  checks: {
    check: string;
    status: string;
    total: number;
    byReason: Record<string, number>;
    findings: {
      id: string;
      reasons: string[];
      group: unknown;
      rows: {key: Record<string, unknown>; values: Record<string, unknown>; verdict: string}[];
      actions: string[];
    }[];
    error?: unknown;
  }[];
};

/** `reasons` are gone afterwards; `counted` are those of `remaining`, where they are others. */
type Action = {
  check: string;
  action: string;
  reasons: string[];
  counted?: string[];
  flags?: string[];
  drastic?: string;
};

const actions: Action[] = [
  {check: 'kite/duplicates', action: 'keep-latest', reasons: ['duplicate']},
  {check: 'kite/duplicates', action: 'keep-canonical', reasons: []},
  {check: 'kite/duplicates', action: 'rekey', reasons: ['duplicate', 'non-canonical-id']},
  {
    check: 'kite/duplicates',
    action: 'repoint',
    reasons: ['dangling-reference'],
    counted: ['dangling-reference', 'unreferenced'],
  },
  {
    check: 'kite/duplicates',
    action: 'delete-non-canonical',
    reasons: ['non-canonical-id'],
    drastic: 'kite-sessions',
  },
  {
    check: 'kite/duplicates',
    action: 'purge',
    reasons: ['duplicate', 'non-canonical-id'],
    drastic: 'kite-sessions',
  },
  {
    check: 'chat/null-ids',
    action: 'assign-ids',
    reasons: ['null-id', 'missing-id', 'empty-id', 'duplicate-id'],
  },
  {check: 'chat/null-ids', action: 'delete', reasons: ['null-id', 'missing-id', 'empty-id', 'duplicate-id']},
  {
    check: 'chat/null-ids',
    action: 'assign-ids',
    reasons: ['wrong-type-id', 'wrong-format-id'],
    flags: ['--reason', 'wrong-type-id', '--reason', 'wrong-format-id'],
  },
  {check: 'gym/device-sessions', action: 'keep-latest-background', reasons: ['duplicate-background']},
  {check: 'gym/device-sessions', action: 'delete-expired', reasons: ['expired-device']},
  {check: 'gym/device-sessions', action: 'protect', reasons: ['unprotected-background']},
  {check: 'gym/device-sessions', action: 'fix-fingerprint', reasons: ['wrong-fingerprint']},
  {check: 'registry/duplicates', action: 'keep-first', reasons: []},
  {check: 'registry/duplicates', action: 'purge', reasons: [], drastic: 'app_session_keys'},
  {
    check: 'rides/stale-sessions',
    action: 'cancel',
    reasons: ['very-stale-waiting', 'stale-waiting', 'orphaned', 'expired-request'],
  },
];

/** DynamoDB Local keeps the tables of each access key apart. */
const keys = {AWS_ACCESS_KEY_ID: 'demo', AWS_SECRET_ACCESS_KEY: 'demo'};

export const systemsSuite = (name: string, open: () => Promise<Stores>): void => {
  describe(name, () => {
    let stores: Stores;
    let directory: string;
    let file: string;

    const dump = async (): Promise<Record<string, string[]>> => ({
      'kite-sessions': await dumpDynamodb(stores.dynamodb, 'kite-sessions'),
      'kite-accounts': await dumpDynamodb(stores.dynamodb, 'kite-accounts'),
      conversations: await dumpMongodb(stores.mongodb, 'support', 'conversations'),
      auth_sessions: await dumpPostgres(stores.postgres, 'auth_sessions'),
      app_session_keys: await dumpPostgres(stores.postgres, 'app_session_keys'),
      sessions: await dumpPostgres(stores.postgres, 'sessions'),
      session_requests: await dumpPostgres(stores.postgres, 'session_requests'),
    });
    const call = <T>(args: string[]) =>
      cliJson<T>(['--config', file, '--state-dir', join(directory, 'state'), ...args], {env: keys});
    const check = async (id: string) => (await call<CheckJson>(['check', id])).json.checks[0]!;

    beforeAll(async () => {
      stores = await open();
      directory = await temporaryDirectory();
      file = join(directory, 'sesstui.yaml');
      await writeFile(file, stringify(demoConfig(stores)));
      for (const system of demoSystems)
        await system.fill(stores[system.server], {rows: 60, seed: 1}, new AbortController().signal);
    });
    afterAll(async () => stores?.close());

    test('the whole check fails on all five, and tells every reason of the contract', async () => {
      const {code, json} = await call<CheckJson>(['check']);
      expect(code).toBe(1);
      expect(json.checks.map(result => [result.check, result.status])).toEqual([
        ['kite/duplicates', 'fail'],
        ['chat/null-ids', 'fail'],
        ['gym/device-sessions', 'fail'],
        ['registry/duplicates', 'fail'],
        ['rides/stale-sessions', 'fail'],
      ]);
      for (const result of json.checks) expect(result.findings, result.check).toHaveLength(result.total);
      const reasons = Object.fromEntries(
        json.checks.map(result => [result.check, Object.keys(result.byReason).sort()]),
      );
      expect(reasons).toEqual({
        'kite/duplicates': [
          'dangling-reference',
          'duplicate',
          'missing-group-key',
          'non-canonical-id',
          'unreadable-time',
          'unreferenced',
        ],
        'chat/null-ids': [
          'duplicate-id',
          'empty-id',
          'missing-id',
          'null-id',
          'wrong-format-id',
          'wrong-type-id',
        ],
        'gym/device-sessions': [
          'duplicate-background',
          'expired-device',
          'missing-background',
          'unprotected-background',
          'wrong-fingerprint',
        ],
        'registry/duplicates': ['duplicate', 'payload-differs'],
        'rides/stale-sessions': [
          'expired-request',
          'orphaned',
          'stale-waiting',
          'unknown-age',
          'very-stale-waiting',
        ],
      });
      for (const {findings, byReason} of json.checks)
        for (const [reason, count] of Object.entries(byReason))
          expect(
            findings.filter(finding => finding.reasons.includes(reason)),
            reason,
          ).toHaveLength(count);
    });

    guardTests(() => stores, call, dump);

    for (const {check: id, action, reasons, counted = reasons, flags = [], drastic} of actions) {
      test(`${id} ${action} ${flags.join(' ')}: dry run, run, check, undo`, async () => {
        const before = await dump();
        const words = ['clean', id, '--action', action, ...flags];
        const dry = await call<RunJson>([...words, '--yes', '--dry-run']);
        expect(dry.code, JSON.stringify(dry.json).slice(0, 500)).toBe(0);
        expect(dry.json).toMatchObject({run: null, dryRun: true, check: id, action, applied: 0});
        expect(await dump()).toEqual(before);

        const deletes = dry.json.changes.filter(
          change => change.op === 'delete' && change.table === drastic,
        ).length;
        if (drastic) {
          const refused = await call<{error: {code: string}}>([...words, '--yes']);
          expect([refused.code, refused.json.error.code]).toEqual([2, 'confirmation']);
          expect(await dump()).toEqual(before);
        }
        const run = await call<RunJson>([
          ...words,
          '--yes',
          ...(drastic ? ['--confirm', `${drastic}:${deletes}`] : []),
        ]);
        expect(run.code, JSON.stringify(run.json).slice(0, 2000)).toBe(0);
        const {planned, applied, skipped, failed, unknown, remaining, run: runId} = run.json;
        expect({planned, applied, skipped, failed, unknown}).toEqual({
          planned: dry.json.planned,
          applied: dry.json.planned,
          skipped: 0,
          failed: 0,
          unknown: 0,
        });
        expect(planned).toBeGreaterThan(0);
        const after = await check(id);
        for (const reason of reasons) expect(after.byReason[reason] ?? 0, reason).toBe(0);
        if (reasons.length > 0)
          expect(remaining).toBe(
            after.findings.filter(finding => finding.reasons.some(reason => counted.includes(reason))).length,
          );
        expect(await dump()).not.toEqual(before);

        const undo = await call<RunJson>(['undo', runId!, '--yes']);
        expect(undo.code, JSON.stringify(undo.json).slice(0, 2000)).toBe(0);
        expect(undo.json).toMatchObject({action: 'undo', planned, applied: planned, skipped: 0});
        const restored = await dump();
        for (const table of Object.keys(before)) expect(restored[table], table).toEqual(before[table]);
        const history = await call<{runs: {run: string; state: string}[]}>(['history', '--verify']);
        expect(history.code).toBe(0);
        expect(history.json.runs.find(item => item.run === runId)!.state).toBe('undone');
      });
    }

    test('logout deletes the device sessions that are named, healthy ones too, and never a background one', async () => {
      const before = await dump();
      const all = before.auth_sessions!;
      const pick = (type: string) =>
        /^\(([^,]+)/
          .exec(
            all.find(
              row => row.includes(`,${type},f,`) || (type === 'background' && row.includes(',background,')),
            )!,
          )![1]!
          .replaceAll('"', '');
      const run = await call<RunJson>([
        'clean',
        'gym/device-sessions',
        '--action',
        'logout',
        '--id',
        pick('device'),
        '--id',
        pick('background'),
        '--yes',
      ]);
      expect(run.json).toMatchObject({
        planned: 2,
        applied: 1,
        skipped: 1,
        changes: expect.arrayContaining([expect.objectContaining({result: 'skipped', why: 'protected'})]),
      });
      expect((await dump()).auth_sessions).toHaveLength(all.length - 1);
      await call(['undo', run.json.run!, '--yes']);
      expect(await dump()).toEqual(before);
    });

    test('--id narrows a group to the rows that are named', async () => {
      const group = (await check('kite/duplicates')).findings.find(
        finding => finding.actions.includes('keep-latest') && finding.rows.length > 2,
      )!;
      const [gone, other] = group.rows
        .filter(row => row.verdict === 'delete')
        .map(row => String(row.key.sessionId));
      const one = await call<RunJson>(['clean', 'kite/duplicates', '--action', 'keep-latest', '--id', gone!]);
      const deletes = one.json.changes
        .filter(change => change.op === 'delete')
        .map(change => change.key.sessionId);
      expect(deletes).toEqual([gone]);
      expect(deletes).not.toContain(other);
      const keeper = group.rows.find(row => row.verdict === 'keep')!;
      const none = await call<RunJson>([
        'clean',
        'kite/duplicates',
        '--action',
        'keep-latest',
        '--id',
        String(keeper.key.sessionId),
      ]);
      expect(none.json.planned).toBe(0);
    });

    test('clean --all leaves every system as its own verification wants it, and comes back run by run', async () => {
      const before = await dump();
      const {code, json} = await call<{runs: RunJson[]}>(['clean', '--all', '--yes']);
      expect(code).toBe(0);
      expect(new Set(json.runs.map(run => run.check)).size).toBe(5);
      for (const run of json.runs)
        expect([run.check, run.action, run.failed, run.unknown]).toEqual([run.check, run.action, 0, 0]);
      const result = await call<CheckJson>(['check']);
      const left = Object.assign({}, ...result.json.checks.map(({byReason}) => byReason)) as Record<
        string,
        number
      >;
      for (const reason of [
        'non-canonical-id',
        'dangling-reference',
        'null-id',
        'missing-id',
        'empty-id',
        'duplicate-id',
        'expired-device',
        'duplicate-background',
        'unprotected-background',
        'wrong-fingerprint',
        'very-stale-waiting',
        'stale-waiting',
        'orphaned',
        'expired-request',
      ])
        expect(left[reason] ?? 0, reason).toBe(0);
      for (const run of [...json.runs].reverse())
        if (run.run)
          expect((await call<RunJson>(['undo', run.run, '--yes'])).code, run.check + run.action).toBe(0);
      const restored = await dump();
      for (const table of Object.keys(before)) expect(restored[table], table).toEqual(before[table]);
    });

    test('health is the report that the rides team reads, with every check', async () => {
      const {code, json} = await call<Record<string, never>>(['health']);
      expect(code).toBe(1);
      expect(json).toMatchObject({
        health: 'critical',
        environment: 'demo',
        sessions: {
          waiting: {total: expect.any(Number), stale: expect.any(Number), veryStale: expect.any(Number)},
        },
      });
      expect(Object.keys(json).slice(0, 8)).toEqual([
        'health',
        'environment',
        'at',
        'sessions',
        'requests',
        'checks',
        'problems',
        'recommendations',
      ]);
    });

    test('a blocked customer: by what, and free after --clean', async () => {
      const stale = (await check('rides/stale-sessions')).findings.find(finding =>
        finding.reasons.includes('very-stale-waiting'),
      )!;
      const customer = String(stale.group);
      const blocked = await call<{blocked: boolean; blockedBy: {status: string; stale: boolean}[]}>([
        'customer',
        customer,
      ]);
      expect([blocked.code, blocked.json.blocked]).toEqual([1, true]);
      expect(blocked.json.blockedBy[0]).toMatchObject({store: 'rides', status: 'waiting', stale: true});
      const before = await dump();
      const freed = await call<{blocked: boolean; cleaned: number; runs: RunJson[]}>([
        'customer',
        customer,
        '--clean',
        '--yes',
      ]);
      expect([freed.code, freed.json.blocked]).toEqual([0, false]);
      expect(freed.json.cleaned).toBeGreaterThan(0);
      for (const run of freed.json.runs) await call(['undo', run.run!, '--yes']);
      expect(await dump()).toEqual(before);
    });

    test('tables for people are plain when piped', async () => {
      const {stdout, code} = await cli(['--config', file, 'check', 'rides/stale-sessions']);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^rides\/stale-sessions: fail, \d+ found \(very-stale-waiting/);
      expect(stdout).not.toContain('\x1b');
    });
  });
};
