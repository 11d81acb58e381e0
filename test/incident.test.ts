/** The incident's Markdown: what a store says formats nothing in the verdict, wherever it stands. */
import {expect, test} from 'vitest';
import {incidentMarkdown} from '../source/incident.js';
import type {CustomerReport} from '../source/ui/customer.js';
import {blockedReport} from './support/fake-customer.js';

const verdict = (report: CustomerReport): string =>
  incidentMarkdown(report)
    .split('\n')
    .find(line => line.startsWith('**Verdict:**'))!;

const withId = (id: string): CustomerReport => ({
  ...blockedReport,
  blockedBy: [{...blockedReport.blockedBy[0]!, id}],
});

test.each([
  ['more backquotes than end it', '```<img src=x> @org/team`', /[<@]/],
  ['an address without a scheme', 'www.evil.example', /www\./],
])('what came from a store formats nothing in the verdict: %s', (_, id, raw) => {
  const text = verdict(withId(id));
  expect(text).toContain('blocked by session');
  expect(text.replaceAll(/\\./g, '')).not.toMatch(raw);
});

test('an address is none, wherever in the verdict it stands', () => {
  const text = Array.from({length: 60}, (_, length) =>
    verdict(withId(`${'b'.repeat(length)}https://e.example`)),
  );
  const more = text.map((_, length) =>
    verdict({
      ...withId('c'),
      blockedBy: ['d'.repeat(60), `${'b'.repeat(length)}https://e.example`].map(id => ({
        ...blockedReport.blockedBy[0]!,
        id,
      })),
    }),
  );
  for (const line of [...text, ...more]) expect(line).not.toContain('://');
});

test('a command stays what it is, with backquotes in it too', () => {
  const hindrance = {
    store: 'gym',
    check: 'gym/device-sessions',
    reason: 'x',
    what: "can't log in",
    text: 'wrong',
  };
  const of = (customer: string): string =>
    verdict({
      ...blockedReport,
      hindrances: [
        {...hindrance, command: ['clean', 'gym/device-sessions', '--customer', customer, '--yes']},
      ],
    });
  expect(of('a_b@c.example')).toContain('`sesstui clean gym/device-sessions --customer a_b@c.example --yes`');
  expect(of('a`@c')).toContain("`` sesstui clean gym/device-sessions --customer 'a`@c' --yes ``");
});
