/** The guards as a table, in terminals of several widths. */
import {expect, test} from 'vitest';
import type {Context} from '../../source/commands/context.js';
import {printGuards} from '../../source/commands/guards-printing.js';
import {Flags} from '../../source/commands/parse.js';
import type {GuardInfo} from '../../source/guards.js';
import {displayWidth} from '../../source/sanitise.js';

const guard = (check: string, name: string, values: Partial<GuardInfo> = {}): GuardInfo => ({
  check,
  guard: name,
  state: 'missing',
  why: null,
  up: '',
  down: '',
  prevents: 'A background or protected session is deleted by a clean-up or a logout.',
  optIn: false,
  ...values,
});
const guards = [
  guard('registry/duplicates', 'sort-trigger', {state: 'installed'}),
  guard('gym/device-sessions', 'protect-background'),
  guard('rides/stale-sessions', 'one-open-session', {optIn: true, prevents: 'A customer gets a second one.'}),
  guard('kite/duplicates', 'write-path', {state: 'unavailable', why: 'DynamoDB keeps nothing unique'}),
];

const printed = async (items: GuardInfo[], width: number | null): Promise<string[]> => {
  let text = '';
  const print = async (part: string): Promise<void> => {
    text += part;
  };
  const given = {output: 'table', width, color: false, flags: new Flags({}), print, tell: () => {}};
  await printGuards(given as unknown as Context, items);
  return text.trimEnd().split('\n');
};

test('at 80 columns no name and no state is cut, and what there is no room for is below', async () => {
  const lines = await printed(guards, 80);
  const table = lines.slice(0, guards.length + 1);
  for (const line of table) expect(displayWidth(line)).toBeLessThanOrEqual(80);
  for (const [at, {check, guard: name, state}] of guards.entries())
    expect(table[at + 1]).toMatch(new RegExp(`^${check} +${name} +${state} `));
  expect(table[3]).toContain('(opt-in)');
  expect(lines[guards.length + 1]).toBe('kite/duplicates write-path: DynamoDB keeps nothing unique');
});

test('of one check the sentences that were cut are below, whole', async () => {
  const lines = await printed([guards[1]!], 80);
  expect(lines).toContain(`protect-background prevents: ${guards[1]!.prevents}`);
});

test.each([200, null])('at a width of %s all is in the table', async width => {
  const lines = await printed(guards, width);
  expect(lines[0]).toMatch(/^CHECK +GUARD +STATE +PREVENTS +WHY$/);
  expect(lines[3]).toContain('one-open-session (opt-in)');
  expect(lines[4]).toMatch(/unavailable .*logout\. +DynamoDB keeps nothing unique$/);
  expect(lines).toHaveLength(guards.length + 2);
});
