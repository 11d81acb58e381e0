import {expect, test} from 'vitest';
import {Other} from '../../source/values.js';
import {short, type Tables, tester} from '../support/check-tester.js';

const chat = {check: 'null-ids', table: 'conversations', touch: 'updatedAt'};
const uuid = '7d44a1f0-5b52-4a4e-9d5b-0c8f4f5a9b10';
const tables = (...rows: object[]): Tables => ({
  conversations: {key: ['_id'], rows: rows.map((row, index) => ({_id: `c${index}`, ...row})) as never[]},
});

test('each way for an id to be wrong is a reason of its own', async () => {
  const {findings} = tester(
    {...chat},
    tables(
      {sessionId: null},
      {},
      {sessionId: ''},
      {sessionId: 7},
      {sessionId: ['x']},
      {sessionId: new Other('objectId', '64b')},
      {sessionId: 'short'},
      {sessionId: uuid},
    ),
  );
  expect((await findings()).map(finding => finding.reasons.join()).sort()).toEqual([
    'empty-id',
    'missing-id',
    'null-id',
    'wrong-format-id',
    'wrong-type-id',
    'wrong-type-id',
    'wrong-type-id',
  ]);
});

test('ids that several rows share are one finding; assign-ids and delete both leave one row', async () => {
  const {findings, changes} = tester(
    chat,
    tables({sessionId: uuid}, {sessionId: uuid}, {sessionId: uuid.toUpperCase()}),
  );
  expect(short(await findings())).toEqual([`${uuid}: duplicate-id`]);
  expect((await findings())[0]!.rows.map(row => row.verdict)).toEqual(['keep', 'assign']);
  expect(await changes('delete')).toEqual(['delete conversations c1']);
  expect(await changes('assign-ids')).toEqual([
    expect.stringMatching(/^update conversations c1 \{"sessionId":"[0-9a-f-]{36}","updatedAt":"now"\}$/),
  ]);
});

test('wrong types and formats are taken only when the reason names them', async () => {
  const {changes} = tester(chat, tables({sessionId: 7}, {sessionId: 'short'}, {sessionId: null}));
  expect(await changes('assign-ids')).toEqual([expect.stringContaining('c2')]);
  expect(await changes('assign-ids', {reasons: ['wrong-type-id']})).toEqual([expect.stringContaining('c0')]);
  expect(await changes('delete', {reasons: ['wrong-format-id']})).toEqual([expect.stringContaining('c1')]);
});

test('every new id is different and has the format that was asked for', async () => {
  const rows = tables(...Array.from({length: 50}, () => ({sessionId: null})));
  const uuids = await tester(chat, rows).changes('assign-ids');
  expect(new Set(uuids.map(text => /"sessionId":"([^"]+)"/.exec(text)![1])).size).toBe(50);
  const [hex] = await tester({...chat, idFormat: 'hex'}, rows).changes('assign-ids');
  expect(hex).toMatch(/"sessionId":"[0-9a-f]{32}"/);
});
