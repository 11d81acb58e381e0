import {readFileSync, writeFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {parse} from 'yaml';
import {z} from 'zod';
import {generateJsonSchema, schemaText} from '../../source/config/json-schema.js';

const file = new URL('../../docs/sesstui.schema.json', import.meta.url);
if (process.env.WRITE_SCHEMA) writeFileSync(file, schemaText());

test('docs/sesstui.schema.json is what the schema says', () => {
  expect(readFileSync(file, 'utf8'), 'stale: write it with `npm run docs`').toBe(schemaText());
});
test('x', () => { const s = z.fromJSONSchema(generateJsonSchema() as never); for (const v of ['refresh: "${X:-5s}"\nstores: {}', 'refresh: 5 min\nstores: {}', 'stores: {r: {kind: dynamodb, checks: [{check: null-ids, collection: x}]}}', 'stores: {r: {kind: dynamodb, checks: [{check: null-ids, collection: x, table: y}]}}', 'stores: {r: {kind: dynamodb, checks: [{check: null-ids}]}}','stores: {r: {kind: dynamodb, checks: [{check: stale-sessions, sessions: {collection: x, table: y}}]}}', 'stores: {r: {kind: dynamodb, checks: [{check: stale-sessions, sessions: {collection: x}, requests: {session: null}}]}}', 'foo: 1']) console.log(v, s.safeParse(parse(v)).success, JSON.stringify(s.safeParse(parse(v)).error?.issues).slice(0,200)); });
