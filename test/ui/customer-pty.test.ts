/** A customer who can't buy, in a real terminal on the demo's stores: found by email, unblocked, told for the incident. */
import {expect, onTestFailed, test} from 'vitest';
import {cliPath, temporaryDirectory} from '../support/cli.js';
import {openPty} from '../support/pty.js';

/** What went to the terminal's clipboard last. */
const clipboard = (written: string): string => {
  const all = [...written.matchAll(/\x1b\]52;c;([^\x07]*)\x07/g)];
  return Buffer.from(all.at(-1)?.[1] ?? '', 'base64').toString();
};

test('c, an email, x, the confirmation, free, y', async () => {
  const files = ['--demo', '--no-traffic', '--seed', '1', '--state-dir', await temporaryDirectory()];
  const screen = openPty(process.execPath, [cliPath, ...files]);
  onTestFailed(() => screen.kill('SIGTERM'));
  await screen.until(/\d+ findings in 5 checks/);
  screen.write('4');
  await screen.until(/> {2}│ customer-\d+ .*very-stale-waiting/);
  screen.write('c');
  await screen.until(/ > customer-\d+_/);
  screen.write('\r');
  await screen.until(/✘ customer-\d+: blocked by session \S+ in/);
  await screen.until(/looked \d+ s ago/);
  const [, customer, email] =
    /Customer (customer-\d+) {2}also (\S+@example\.\w+),/.exec(screen.screen()) ?? [];
  expect([customer, email]).toEqual([expect.any(String), expect.any(String)]);

  screen.write('c');
  await screen.until('An email in any case');
  screen.write(`${email!.toUpperCase()}\r`);
  await screen.until(`✘ ${email!.toUpperCase()}: blocked by session`);
  await screen.until(/looked \d+ s ago/);
  screen.write('x');
  await screen.until('What will run:');
  expect(screen.screen()).toMatch(/1 change to sessions .*1 update/);
  screen.write('x');
  await screen.until('[> Cancel <]');
  await screen.until('Tab or arrows move');
  screen.write('\t');
  await screen.until('[> Make 1 change <]');
  screen.write('\r');
  await screen.until('1 applied, 0 skipped, 0 failed, 0 unknown of 1 planned change');
  await screen.until(/✔ \S+: free: nothing blocks any more/);
  screen.write('\r');
  await screen.until('How it went (UTC):');
  screen.write('y');
  await screen.until(/Copied: the incident as Markdown, \d+ lines/);
  const [, run] = /takes run\s+(\S+)/.exec(screen.screen()) ?? [];
  const told = clipboard(screen.written());
  expect(told).toMatch(
    /^## Customer .*\n[\s\S]*\*\*Before:\*\* blocked by session[\s\S]*\*\*After:\*\* free/,
  );
  expect(told).toContain(`sesstui undo ${run} --yes`);
  screen.write('\x1b');
  await screen.until(/row 1 of \d+/);
  expect(screen.screen()).not.toContain(`${customer} `);
  screen.write('q');
  expect(await screen.ended).toBe(0);
});
