// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are configurations
import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {parse} from 'yaml';
import {generateJsonSchema, schemaText} from '../../source/config/json-schema.js';
import {follows} from './follows.js';

const schema = generateJsonSchema();
const isRight = (text: string): boolean => follows(schema, parse(text));

test('the published schema is the one that the configuration is checked by', () => {
  const published = readFileSync(new URL('../../docs/sesstui.schema.json', import.meta.url), 'utf8');
  expect(published, 'docs/sesstui.schema.json is stale: npm run docs').toBe(schemaText());
});

test('it says which draft it is written in', () => {
  expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
});

const withCheck = (check: string): string => `stores: {rides: {kind: dynamodb, checks: [${check}]}}`;

test.each([
  'stores: {}',
  '{$schema: ./schema.json, stores: {}}',
  'refresh: 5s\nreadOnly: true\nlimits: {changes: 5}\nstores: {}',
  'refresh: ${REFRESH:-5s}\nreadOnly: ${RO}\nlimits: {changes: "${N}"}\nstores: {}',
  'stores: {gym: {kind: postgres, url: "${DATABASE_URL}"}}',
  'stores: {gym: {kind: postgres, url: "postgres://localhost/gym", timeout: 10s}}',
  withCheck('{check: null-ids, table: conversations}'),
  withCheck('{check: null-ids, collection: conversations}'),
  withCheck('{check: duplicates, table: t, groupBy: [a], keep: first}'),
  withCheck(
    '{check: duplicates, table: t, groupBy: [a], referencedBy: {collection: a, key: k, attribute: s}}',
  ),
  withCheck('{check: stale-sessions}'),
  withCheck(
    '{check: stale-sessions, sessions: {collection: x}, requests: {session: null}, waitingAfter: 5m}',
  ),
])('accepts %s', text => {
  expect(isRight(text)).toBe(true);
});

test.each([
  'refresh: 5s',
  'stores: {}\ncolour: red',
  'stores: {}\nrefresh: 5 min',
  'stores: {}\nreadOnly: "yes"',
  'stores: {"a b": {kind: dynamodb}}',
  'stores: {gym: {kind: postgres, url: "mysql://localhost"}}',
  'stores: {gym: {kind: postgres}}',
  withCheck('{check: null-ids}'),
  withCheck('{check: null-ids, table: a, collection: b}'),
  withCheck('{check: duplicates, table: t}'),
  withCheck('{check: duplicates, table: t, groupBy: []}'),
  withCheck('{check: stale-sessions, sessions: {table: a, collection: b}}'),
  withCheck('{check: stale-sessions, waiting_after: 5m}'),
])('refuses %s', text => {
  expect(isRight(text)).toBe(false);
});
