/** The compiler alone, without a server: what is bound, quoted, wrapped and left to an index. */
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {Table} from '../../connectors/postgres/catalogue.js';
import {decode, plainDecimal, readNumeric} from '../../connectors/postgres/decode.js';
import {encode} from '../../connectors/postgres/encode.js';
import {mapError} from '../../connectors/postgres/errors.js';
import type {Context} from '../../connectors/postgres/query.js';
import {formQuery, tallyQuery} from '../../connectors/postgres/select.js';
import {Binder, withValues} from '../../connectors/postgres/sql.js';
import {familyOf, type PgType} from '../../connectors/postgres/types.js';
import type {Groups, Pred, Rows} from '../../source/forms.js';
import {Other, Time} from '../../source/values.js';

const typeOf = (base: string, element: PgType | null = null): PgType => ({
  name: base,
  cast: base,
  base,
  family: element ? 'array' : familyOf(base, 'b'),
  element,
  loose: base === 'citext',
});

const columnTypes: Record<string, PgType> = {
  id: typeOf('uuid'),
  n: typeOf('int4'),
  email: typeOf('text'),
  loose: typeOf('citext'),
  at: typeOf('timestamptz'),
  naive: typeOf('timestamp'),
  tags: typeOf('_text', typeOf('text')),
  doc: typeOf('jsonb'),
};

const columns = Object.entries(columnTypes).map(([name, type]) => ({
  name,
  type,
  nullable: true,
  generated: false,
  identityAlways: false,
}));

const table: Table = {
  name: 'odd "table"',
  oid: '1',
  sql: '"public"."odd ""table"""',
  schema: 'public',
  relation: 'odd "table"',
  kind: 'r',
  columns,
  key: [columns[0]!],
  estimate: null,
  secured: false,
  deleteTrigger: false,
};

const now = Date.UTC(2026, 10, 20, 10) * 1000;
const context: Context = {tables: () => table, lower: '', now};
const rowsForm = (where: Pred, tags: Record<string, Pred> = {}): Rows => ({
  form: 'rows',
  from: 't',
  where,
  show: [],
  tags,
});
const compile = (where: Pred) => formQuery(rowsForm(where), {now}, null, context).statement;
const conditionOf = (where: Pred): string => /where (.*)\) m\) select/s.exec(compile(where).text)![1]!;

describe('a compiled form', () => {
  test('binds every value and writes none', () => {
    fc.assert(
      fc.property(fc.string({minLength: 1, unit: 'grapheme'}), text => {
        const marked = `canary ${text}`;
        const preds: Pred[] = [
          {in: [marked, [marked]], of: {attr: 'email'}},
          {in: [[marked]], of: {set: 'tags'}},
          {same: [{fill: `${marked}{n}`}, {digest: 'email', salt: marked, prefix: marked, length: 8}]},
          {older: 1, of: {instant: ['email'], zone: marked}},
        ];
        expect(compile({any: preds}).text).not.toContain('canary');
      }),
    );
  });

  test('holds the values that it uses and no other', () => {
    const {text, values} = compile({
      all: [
        {in: ['x'], of: {fill: 'never-{tags}'}},
        {same: [{fill: 'lost-{n}'}, {attr: 'n'}]},
        {in: ['kept'], of: {attr: 'email'}},
      ],
    });
    expect(JSON.stringify(values)).not.toContain('lost');
    expect(JSON.stringify(values)).toContain('kept');
    const numbers = new Set([...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
    expect([...numbers].sort((a, b) => a - b)).toEqual(values.map((_, index) => index + 1));
  });

  test('wraps what it negates, and nothing else', () => {
    const leaf: Pred = {in: ['a'], of: {attr: 'email'}};
    expect(conditionOf(leaf)).toBe('t."email" = any($1::text[])');
    expect(conditionOf({no: leaf})).toBe('not coalesce(t."email" = any($1::text[]), false)');
    expect(conditionOf({no: {no: leaf}})).toBe(
      'not coalesce(not coalesce(t."email" = any($1::text[]), false), false)',
    );
    expect(conditionOf({all: []})).toBe('true');
    expect(conditionOf({any: []})).toBe('false');
  });

  test('compares columns in their own type, so that an index serves', () => {
    const id = '6f1c9b1e-6f5f-4b53-9c4e-0d8f5a1b2c3d';
    expect(conditionOf({in: [id, 'abc'], of: {attr: 'id'}})).toBe('t."id" = any($1::uuid[])');
    expect(conditionOf({in: ['7', 8, 'abc'], of: {attr: 'n'}})).toBe('t."n" = any($1::int8[])');
    expect(conditionOf({in: ['abc'], of: {attr: 'n'}})).toBe('false');
    expect(conditionOf({older: 60_000, of: {instant: ['at']}})).toBe(
      `(t."at" < $1::timestamptz and t."at" >= '0001-01-01 00:00:00+00'::timestamptz)`,
    );
    expect(compile({older: 60_000, of: {instant: ['at']}}).values).toEqual(['2026-11-20T09:59:00.000Z']);
    expect(conditionOf({older: 0, of: {instant: ['naive'], zone: 'Asia/Tokyo'}})).toContain('at time zone');
    expect(conditionOf({partner: {table: 't', on: [[{attr: 'id'}, {attr: 'id'}]]}})).toContain(
      'where t."id" = tp."id"',
    );
  });

  test('compares text by its bytes, whatever the collation of its column', () => {
    expect(conditionOf({in: ['A'], of: {attr: 'loose'}})).toBe(
      't."loose"::text collate "C" = any($1::text[])',
    );
  });

  test('is one statement, with its tables quoted', () => {
    const form: Groups = {
      form: 'groups',
      from: 't',
      where: {all: []},
      key: [{norm: 'email'}, {set: 'tags'}],
      having: {many: [{min: 2}]},
      show: ['n'],
      tags: {},
    };
    const {text, values} = formQuery(form, {now}, {offset: 20, limit: 10}, context).statement;
    expect(text).not.toContain(';');
    expect(text.match(/"public"\."odd ""table"""/g)).toHaveLength(2);
    expect(values).toContain('20');
    expect(tallyQuery({form: 'tally', from: 't', by: {attr: 'doc.a.b'}}, context).statement.values).toEqual([
      'a.b',
      'a',
      'b',
    ]);
  });

  test('names the nearest column for one that is not there', () => {
    expect(() => compile({is: 'null', of: {attr: 'emial'}})).toThrow(
      expect.objectContaining({code: 'not-found', hint: 'Did you mean "email"?'}),
    );
    expect(conditionOf({is: 'missing', of: {attr: 'email.inner'}})).toBe('true');
  });
});

describe('bound values', () => {
  test('are numbered anew around names that look like them', () => {
    const binder = new Binder();
    binder.bind('unused', 'text');
    const used = binder.bind('used', 'text');
    const statement = binder.statement(`select "$1::text", '$1', ${used}, ${used}`);
    expect(statement).toEqual({text: `select "$1::text", '$1', $1::text, $1::text`, values: ['used']});
    expect(withValues({...statement, values: ["o'b\\"]})).toBe(
      `select "$1::text", '$1',  E'o''b\\\\'::text,  E'o''b\\\\'::text`,
    );
  });
});

describe('values', () => {
  test('of numbers are exact or say that they are not', () => {
    expect(plainDecimal('-0.00')).toBe('0');
    expect(plainDecimal('1.50e+3')).toBe('1500');
    expect(plainDecimal('25e-4')).toBe('0.0025');
    expect(plainDecimal('x')).toBeNull();
    expect(readNumeric('1.10')).toBe(1.1);
    expect(readNumeric('9007199254740993')).toBe(9007199254740993n);
    expect(readNumeric('0.12345678901234567890')).toEqual(new Other('numeric', '0.1234567890123456789'));
    fc.assert(
      fc.property(
        fc.double({noNaN: true, noDefaultInfinity: true}),
        value => readNumeric(String(value)) === value,
      ),
    );
  });

  test('of times count microseconds before and after JavaScript has dates', () => {
    const micros = (text: string) => (decode(text, typeOf('timestamptz')) as Time).micros;
    expect(micros('2026-11-20 09:00:00.123456+00')).toBe(Date.UTC(2026, 10, 20, 9) * 1000 + 123_456);
    expect(micros('2026-11-20 14:30:00+05:30')).toBe(Date.UTC(2026, 10, 20, 9) * 1000);
    expect(micros('0001-01-01 00:00:00+00 BC')).toBe(new Date('0000-01-01T00:00:00Z').getTime() * 1000);
    expect(micros('-infinity')).toBe(Number.NEGATIVE_INFINITY);
    fc.assert(
      fc.property(
        fc.date({min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true}),
        date => {
          const text = date.toISOString().replace('T', ' ').replace('Z', '+00');
          return micros(text) === date.getTime() * 1000;
        },
      ),
    );
  });

  test('go back as the text that they came from', () => {
    const texts = typeOf('_text', typeOf('text'));
    const text = '{"a\\"b",NULL,"NULL","","x,y"}';
    expect(encode(decode(text, texts), texts)).toBe('{"a\\"b",NULL,"NULL","","x,y"}');
    expect(encode({a: [1, 'x']}, typeOf('jsonb'))).toBe('{"a":[1,"x"]}');
    expect(encode('x', typeOf('jsonb'))).toBe('"x"');
    expect(encode(new Time(1_500), typeOf('timestamptz'))).toBe('1970-01-01T00:00:00.001500Z');
  });
});

describe('errors', () => {
  const network = (code: string) => Object.assign(new Error(`connect ${code} 10.0.0.1`), {code});
  test('of the network and of the login have codes of the table', () => {
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT'])
      expect(mapError(network(code), 'gym').code).toBe('unreachable');
    expect(mapError(new Error('Query read timeout'), 'gym').code).toBe('timeout');
    expect(
      mapError(new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), 'gym').code,
    ).toBe('refused');
    expect(mapError(network('DEPTH_ZERO_SELF_SIGNED_CERT'), 'gym').hint).toContain('sslmode');
    expect(mapError(new Error('odd'), 'gym').code).toBe('internal');
    expect(mapError(new Error('odd'), 'gym', AbortSignal.abort()).code).toBe('interrupted');
  });
});
