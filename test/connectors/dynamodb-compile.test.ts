import {describe, expect, test} from 'vitest';
import {chooseAccess} from '../../connectors/dynamodb/access.js';
import {
  type Attribute,
  attributeOf,
  fromItem,
  type Item,
  neutral,
  sameAttribute,
  toItem,
  versionOf,
} from '../../connectors/dynamodb/attributes.js';
import {bindings} from '../../connectors/dynamodb/bindings.js';
import {compile, compileForm} from '../../connectors/dynamodb/compile.js';
import {mapError} from '../../connectors/dynamodb/errors.js';
import {momentLike} from '../../connectors/dynamodb/moments.js';
import {keeperCheck, operationOf} from '../../connectors/dynamodb/operations.js';
import {openPacer} from '../../connectors/dynamodb/pacer.js';
import type {TableInfo} from '../../connectors/dynamodb/tables.js';
import {unchanged} from '../../connectors/dynamodb/unchanged.js';
import {updateExpression, withChanges} from '../../connectors/dynamodb/update.js';
import type {Change, Image} from '../../source/connector.js';
import type {Pred} from '../../source/forms.js';
import {Other} from '../../source/values.js';

const info: TableInfo = {
  table: 'kite-sessions',
  key: ['sessionId'],
  types: {sessionId: 'S', accountId: 'S', shard: 'N'},
  indexes: [
    {
      name: 'account',
      attributes: ['accountId', 'updatedAt'],
      hash: 'accountId',
      global: true,
      usable: true,
      projected: null,
    },
    {name: 'shard', attributes: ['shard'], hash: 'shard', global: true, usable: false, projected: null},
  ],
  id: null,
  itemCount: 10,
  sizeBytes: 1000,
  readUnits: null,
  arn: null,
};

/** An expression with its placeholders replaced, to be read. */
const filterOf = (where: Pred): string | undefined => {
  const {filter, request} = compile(where, ['id']);
  return filter?.replaceAll(/[#:][nv]\d+/g, placeholder =>
    placeholder.startsWith('#')
      ? request.ExpressionAttributeNames![placeholder]!
      : JSON.stringify(Object.values(request.ExpressionAttributeValues![placeholder]!)[0]),
  );
};

describe('a predicate becomes a filter that lets through at least what it means', () => {
  const a = {attr: 'a'};
  const isNull: Pred = {is: 'null', of: a};
  const old: Pred = {older: 60_000, of: {instant: ['at']}};

  test.each<[string, Pred, string | undefined, boolean]>([
    ['null', isNull, 'attribute_type(a, "NULL")', true],
    ['missing', {is: 'missing', of: a}, 'attribute_not_exists(a)', true],
    ['empty', {is: 'empty', of: a}, 'a = ""', true],
    ['a text or the number that it spells', {in: ['07'], of: a}, 'a IN ("07", "7")', false],
    ['not null', {no: isNull}, 'NOT attribute_type(a, "NULL")', true],
    [
      'not (null or empty): one pair of parentheses',
      {no: {any: [isNull, {is: 'empty', of: a}]}},
      'NOT (attribute_type(a, "NULL") OR a = "")',
      true,
    ],
    ['all of one: no parentheses', {all: [{all: [isNull]}]}, 'attribute_type(a, "NULL")', true],
    ['a moment: text or number', old, 'attribute_type(at, "S") OR attribute_type(at, "N")', false],
    ['not a moment: nothing can be left out', {no: old}, undefined, false],
    [
      'a path, or the name with the dot',
      {is: 'missing', of: {attr: 'a.b'}},
      'attribute_not_exists(a.b) AND attribute_not_exists(a.b)',
      true,
    ],
    ['everything', {all: []}, undefined, true],
  ])('%s', (_, where, filter, exact) => {
    expect(filterOf(where)).toBe(filter);
    expect(compile(where, null).exact).toBe(exact);
  });

  test('nothing at all is not even asked', () => {
    expect(compile({any: []}, null).empty).toBe(true);
    expect(compile({in: [], of: a}, null).empty).toBe(true);
    expect(compile(isNull, null).empty).toBe(false);
  });

  test('a filter beyond the limits is left out, with the values that it would have bound', () => {
    const items = Array.from({length: 2000}, (_, i) => `customer-${i}`);
    const compiled = compile({in: items, of: a}, ['a']);
    expect(compiled).toMatchObject({filter: undefined, exact: false, projection: '#n0'});
    expect(compiled.request).toEqual({ExpressionAttributeNames: {'#n0': 'a'}});
  });

  test('names and values are bound, never spliced in', () => {
    const name = 'a = :x OR #b';
    const {filter, request} = compile({in: ['" OR "'], of: {attr: name}}, null);
    expect(filter).toBe('#n0 IN (:v0)');
    expect(request).toEqual({
      ExpressionAttributeNames: {'#n0': name},
      ExpressionAttributeValues: {':v0': {S: '" OR "'}},
    });
  });

  test('the projection names what a form reads, and no part of what it already names', () => {
    const {projection, request} = compileForm(
      {
        form: 'rows',
        from: 't',
        where: isNull,
        show: ['m', 'n.x'],
        tags: {t: {is: 'string', of: {attr: 'm.x'}}},
      },
      ['id'],
    );
    const readable = projection!.replaceAll(/#n\d+/g, name => `<${request.ExpressionAttributeNames![name]}>`);
    expect(readable).toBe('<id>, <m>, <n.x>, <n>.<x>, <a>, <m.x>');
  });
});

describe('where to look', () => {
  test.each<[string, Pred, object]>([
    ['by key', {in: ['s1', '', 's1'], of: {attr: 'sessionId'}}, {by: 'keys', keys: [{sessionId: {S: 's1'}}]}],
    [
      'by an index',
      {all: [{in: ['acc'], of: {attr: 'accountId'}}]},
      {by: 'query', index: 'account', values: [{S: 'acc'}]},
    ],
    ['not by an index that is being filled', {in: ['7'], of: {attr: 'shard'}}, {by: 'scan'}],
    ['nowhere, for what can be no key', {in: [''], of: {attr: 'sessionId'}}, {by: 'nothing'}],
    [
      'everywhere, for what is only one alternative',
      {any: [{in: ['s1'], of: {attr: 'sessionId'}}, {all: []}]},
      {by: 'scan'},
    ],
  ])('%s', (_, where, access) => {
    expect(chooseAccess(where, info)).toMatchObject(access);
  });
});

describe('values', () => {
  test.each<[Attribute, unknown]>([
    [{N: '1.1'}, 1.1],
    [{N: '9007199254740993'}, 9007199254740993n],
    [{N: '1E+21'}, 10n ** 21n],
    [{N: '0.10000000000000000001'}, new Other('number', '0.10000000000000000001')],
    [{SS: ['b', 'a']}, ['b', 'a']],
    [{B: 'AQ=='}, new Other('binary', 'AQ==')],
    [{NULL: true}, null],
  ])('%j as checks see it', (attribute, value) => {
    expect(neutral(attribute)).toEqual(value);
  });

  test('an item survives being kept as JSON, at any depth', () => {
    const raw = {
      b: {L: [{B: new Uint8Array([0, 200])}, {M: {s: {BS: [new Uint8Array([1])]}, n: {N: '1.10'}}}]},
    };
    expect(fromItem(JSON.parse(JSON.stringify(toItem(raw))) as Item)).toEqual(raw);
  });

  test('a version is the same for other spellings of the same item, and for nothing else', () => {
    const item: Item = {n: {N: '100'}, s: {SS: ['a', 'b']}};
    expect(versionOf({s: {SS: ['b', 'a']}, n: {N: '1E2'}})).toBe(versionOf(item));
    expect(versionOf({...item, n: {S: '100'}})).not.toBe(versionOf(item));
    expect(sameAttribute({L: [{N: '1'}]}, {NS: ['1']})).toBe(false);
  });

  test('a set stays a set, a list stays a list', () => {
    expect(attributeOf(['b', 'a'], {SS: ['x']})).toEqual({SS: ['a', 'b']});
    expect(attributeOf(['b', 'a'], {L: []})).toEqual({L: [{S: 'b'}, {S: 'a'}]});
    expect(attributeOf([], {SS: ['x']})).toEqual({L: []});
    expect(() => attributeOf(Number.NaN)).toThrow('no number');
  });

  const micros = Date.parse('2026-11-21T01:42:10Z') * 1000;
  test.each<[Attribute | undefined, Attribute]>([
    [{S: '2026-11-01T10:00:00.123Z'}, {S: '2026-11-21T01:42:10.000Z'}],
    [{S: '2026-11-01T10:00:00+02:00'}, {S: '2026-11-21T01:42:10Z'}],
    [{S: '1763690000'}, {S: '1795225330'}],
    [{N: '1763690000123'}, {N: '1795225330000'}],
    [{N: '1763690000.5'}, {N: '1795225330'}],
    [{S: 'yesterday'}, {S: '2026-11-21T01:42:10.000Z'}],
    [undefined, {S: '2026-11-21T01:42:10.000Z'}],
  ])('now in the format of %j', (replaced, now) => {
    expect(momentLike(micros, replaced)).toEqual(now);
  });
});

describe('writes', () => {
  const item: Item = {
    sessionId: {S: 's1'},
    accountId: {S: 'acc'},
    session: {M: {sessionId: {S: 'a'}, since: {N: '1'}}},
  };
  const image = item as unknown as Image;
  const seen = {
    table: info.table,
    identity: {by: 'key' as const, at: {sessionId: {S: 's1'}}},
    version: versionOf(item),
    image,
  };

  test('an update names what it changes, within maps too, and is conditional on all that was seen', () => {
    const change: Change = {
      ...seen,
      op: 'update',
      set: {'session.sessionId': {value: 'b'}, accountId: {remove: true}, note: {value: 1}},
    };
    const operation = operationOf(change, 0, info, item, 0);
    expect(operation.after).toEqual({
      sessionId: {S: 's1'},
      session: {M: {sessionId: {S: 'b'}, since: {N: '1'}}},
      note: {N: '1'},
    });
    expect(operation.input).toMatchObject({
      UpdateExpression: 'SET #n0 = :v0, #n1 = :v1 REMOVE #n2',
      ConditionExpression: 'attribute_exists(#n3) AND #n2 = :v2 AND #n0 = :v3 AND attribute_not_exists(#n1)',
    });
  });

  test('a row is not given another key in place, and a new row needs one', () => {
    const moved: Change = {...seen, op: 'update', set: {sessionId: {value: 's2'}}};
    expect(() => operationOf(moved, 0, info, item, 0)).toThrow('another key');
    const insert: Change = {
      ...seen,
      op: 'insert',
      version: null,
      from: image,
      set: {sessionId: {remove: true}},
    };
    expect(() => operationOf(insert, 0, info, undefined, 0)).toThrow('no sessionId');
  });

  test('a name that goes through something else than a map is refused', () => {
    expect(() => withChanges(item, {'accountId.x': {value: 1}}, 0)).toThrow('not a map');
    expect(withChanges(item, {constructor: {value: 1}}, 0).constructor).toEqual({N: '1'});
    expect(updateExpression(item, item, bindings())).toBeUndefined();
  });

  test('the check of the keeper asks for its group as well as for its key', () => {
    const check = keeperCheck(info, item, {in: ['acc'], of: {attr: 'accountId'}});
    expect(check.ConditionCheck!.ConditionExpression).toBe('attribute_exists(#n0) AND #n1 = :v0');
    expect(check.ConditionCheck!.ExpressionAttributeNames).toEqual({'#n0': 'sessionId', '#n1': 'accountId'});
  });

  test('the condition of a wide item names what matters first, and stays within the limits', () => {
    const wide: Item = Object.fromEntries(Array.from({length: 500}, (_, i) => [`field${i}`, {S: `${i}`}]));
    const bound = bindings();
    const text = unchanged({...item, ...wide}, info.key, bound, ['field499'], []);
    expect(Buffer.byteLength(text)).toBeLessThan(4096);
    expect(text.match(/ AND | = |\(/g)!.length).toBeLessThan(300);
    expect(Object.values(bound.request().ExpressionAttributeNames!)).toContain('field499');
  });
});

test('a scan keeps to half of what is provisioned, and slows down while it is throttled', () => {
  let ms = 0;
  const pacer = openPacer(100, 0, () => ms);
  pacer.page(100, 0);
  expect(pacer.delayMs()).toBe(2000);
  ms = 2000;
  expect(pacer.delayMs()).toBe(0);
  pacer.page(0, 1);
  expect(pacer.delayMs()).toBeGreaterThan(0);
  pacer.page(0, 1);
  expect(pacer.delayMs()).toBe(0);
  expect(openPacer(null).delayMs()).toBe(0);
});

test.each([
  [{name: 'ResourceNotFoundException', $fault: 'client'}, 'not-found'],
  [{name: 'AccessDeniedException', $fault: 'client'}, 'refused'],
  [{name: 'ThrottlingException', $fault: 'client'}, 'throttled'],
  [{name: 'UnknownOperationException', $fault: 'client'}, 'unsupported'],
  [{name: 'Error', code: 'ECONNRESET'}, 'unreachable'],
  [{name: 'InternalServerError', $fault: 'server'}, 'unreachable'],
  [{name: 'ValidationException', $fault: 'client'}, 'internal'],
])('%j is %s', (error, code) => {
  expect(mapError(error, 'Scan of kite-sessions').code).toBe(code);
});

test('what a signature error says is not repeated', () => {
  const error = {
    name: 'InvalidSignatureException',
    $fault: 'client',
    message: 'Credential=AKIAEXAMPLE/20261121',
  };
  expect(JSON.stringify(mapError(error, 'Scan'))).not.toContain('AKIA');
});
