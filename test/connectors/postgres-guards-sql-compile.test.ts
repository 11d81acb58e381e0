/** What guards of PostgreSQL make of names and definitions, without a server. */
import {describe, expect, test} from 'vitest';
import {objectName} from '../../connectors/postgres/guards/sql/names.js';
import {sameSql} from '../../connectors/postgres/guards/sql/same-sql.js';
import {jsWhitespace} from '../../connectors/postgres/sql.js';

describe('conditions that say the same', () => {
  test.each([
    [`"type" = any('{"background"}'::text[])`, `(type = ANY ('{background}'::text[]))`],
    [`"type" = any('{"background"}'::text[])`, `(type = 'background'::text)`],
    [
      `"type"::text = any('{"a","b"}'::text[])`,
      `((type)::text = ANY ((ARRAY['b'::character varying, 'a'::character varying])::text[]))`,
    ],
    [`"state" in ('a', 'b')`, `(state = ANY (ARRAY['a'::public.mood, 'b'::public.mood]))`],
    [
      `lower(btrim("email", E' \\t\\u00a0') collate pg_catalog."und-x-icu")`,
      `lower((btrim((email)::text, ' \t\u00a0'::text) COLLATE "und-x-icu"))`,
    ],
    [`lower(btrim("Email", ${jsWhitespace}))`, `lower(btrim("Email", ${jsWhitespace}::text))`],
    [`"a" = 'it''s'`, `(a = 'it''s'::bpchar)`],
  ])('%s', (ours, servers) => {
    expect(sameSql(ours, servers)).toBe(true);
  });

  test.each([
    [`"type" = 'background'`, `(type = 'Background'::text)`],
    [`"type" = 'background'`, `("Type" = 'background'::text)`],
    [`"type" = any('{"a","b"}'::text[])`, `(type = ANY ('{a}'::text[]))`],
    [`"type" = 'a'`, `(type <> 'a'::text)`],
    [`lower("email" collate "und-x-icu")`, `lower(email)`],
    [`lower("email")`, `(email)::text`],
    [`"a" = 1`, `(a = '1'::text)`],
    [`"x"`, `("x")::date`],
    [`("a" = 'x' or "b" = 'y') and "c" = 'z'`, `((a = 'x'::text) OR ((b = 'y'::text) AND (c = 'z'::text)))`],
    [`"a" = 'x'`, null],
  ])('%s is not %s', (ours, servers) => {
    expect(sameSql(ours, servers)).toBe(false);
  });
});

test('a name that is too long is cut and ends in its hash, by bytes and not within a letter', () => {
  expect(objectName('short')).toBe('short');
  expect(objectName('x'.repeat(63))).toBe('x'.repeat(63));
  const [one, other] = ['ü'.repeat(40), `${'ü'.repeat(39)}u`].map(name => objectName(name)) as [
    string,
    string,
  ];
  expect(Buffer.byteLength(one)).toBeLessThanOrEqual(63);
  expect(one).toMatch(/^ü+_[0-9a-f]{8}$/);
  expect(one).not.toBe(other);
  const suffixed = objectName('ü'.repeat(40), '_meanwhile');
  expect(Buffer.byteLength(suffixed)).toBeLessThanOrEqual(63);
  expect(suffixed).toMatch(/^ü+_[0-9a-f]{8}_meanwhile$/);
});
