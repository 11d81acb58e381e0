/** Forms to MongoDB's language, without a server. */
import {Decimal128, Int32, Long, ObjectId} from 'bson';
import {describe, expect, test} from 'vitest';
import {
  candidatePipeline,
  compile,
  compilePartners,
  leastRows,
  plainKey,
  projectionOf,
  tallyPipeline,
} from '../../connectors/mongodb/compile.js';
import {bytesOf, canBeRestored, fieldsOf} from '../../connectors/mongodb/document.js';
import {idOfIdentity} from '../../connectors/mongodb/identity.js';
import {stateFilter} from '../../connectors/mongodb/state.js';
import {bsonOfValue, valueOfBson} from '../../connectors/mongodb/values.js';
import {weaken} from '../../connectors/mongodb/weaken.js';
import {isResultOf, type Write, writeOf} from '../../connectors/mongodb/writes.js';
import type {Groups, Pred} from '../../source/forms.js';
import {Other, Time} from '../../source/values.js';

const ground = {now: Date.UTC(2026, 10, 21) * 1000 + 1, allTypes: true};
const id = {attr: 'sessionId'};
const notArray = {$not: {$type: 'array'}};

describe('a condition as a filter', () => {
  const cases: [string, Pred, unknown, boolean][] = [
    ['null is not missing', {is: 'null', of: id}, {sessionId: {$type: 'null', ...notArray}}, true],
    ['missing is not null', {is: 'missing', of: id}, {sessionId: {$exists: false}}, true],
    [
      'an array of text is not text',
      {is: 'string', of: id},
      {sessionId: {$type: 'string', ...notArray}},
      true,
    ],
    [
      'the contrary of what is exact',
      {no: {is: 'missing', of: id}},
      {$nor: [{sessionId: {$exists: false}}]},
      true,
    ],
    ['words', {in: ['waiting'], of: {attr: 'status'}}, {status: {$in: ['waiting'], ...notArray}}, true],
    ['numbers and their text', {in: [7], of: {attr: 'n'}}, {n: {$in: ['7', 7]}}, false],
    ['the contrary of what is not exact is everything', {no: {in: [7], of: {attr: 'n'}}}, {}, false],
    [
      'a path matches inside arrays, so its absence says nothing',
      {is: 'missing', of: {attr: 'a.b'}},
      {},
      false,
    ],
    ['nothing', {any: []}, {_id: {$in: []}}, true],
    [
      'everything and something',
      {all: [{all: []}, {is: 'missing', of: id}]},
      {sessionId: {$exists: false}},
      true,
    ],
    ['something or what can not be said', {any: [{is: 'missing', of: id}, {same: [id, id]}]}, {}, false],
    ['no partner', {no: {partner: {table: 'r', on: [[id, id]]}}}, {}, false],
    [
      'not both is not one or not the other',
      {
        no: {
          all: [
            {is: 'missing', of: id},
            {is: 'array', of: id},
          ],
        },
      },
      {$or: [{$nor: [{sessionId: {$exists: false}}]}, {$nor: [{sessionId: {$type: 'array'}}]}]},
      true,
    ],
  ];
  test.each(cases)('%s', (_, pred, filter, exact) => {
    expect(weaken(pred, ground)).toEqual({filter, exact});
  });

  test('an age lets younger dates out, and keeps what only the evaluator can read', () => {
    const older: Pred = {older: 60_000, of: {instant: ['createdAt']}};
    const {filter, exact} = weaken(older, ground);
    expect(exact).toBe(false);
    expect(filter).toEqual({
      $or: [
        // One microsecond past the full second: the bound is rounded up to the next millisecond.
        {createdAt: {$lt: new Date(Date.UTC(2026, 10, 20, 23, 59, 0, 1))}},
        {createdAt: {$type: ['string', 'int', 'long', 'double']}},
      ],
    });
  });

  test('a text without regard to case is a pattern that every dialect reads alike', () => {
    const normIn = (...texts: string[]) => weaken({in: texts, of: {norm: 'email'}}, ground);
    expect(normIn('ak.7+_@x', '2026-11-21T01:00:00Z')).toEqual({
      filter: {email: {$regex: '[aA][kK\u212a]\\.7\\+\\_\\@[xX]'}},
      exact: false,
    });
    // Lower-cased text equals none of these; \A and \Z would be anchors, and \T an error.
    expect(normIn('ATZ')).toEqual({filter: {_id: {$in: []}}, exact: false});
  });

  test('an id as text may be an ObjectId, and not a type that the server lacks', () => {
    const hex = '65f0a1b2c3d4e5f60718293a';
    expect((weaken({in: [hex], of: id}, ground).filter.sessionId as {$in: unknown[]}).$in[1]).toEqual(
      new ObjectId(hex),
    );
    const long = '12345678901234567890';
    const variants = (allTypes: boolean) =>
      (weaken({in: [long], of: id}, {...ground, allTypes}).filter.sessionId as {$in: unknown[]}).$in;
    expect(variants(true)).toContainEqual(Decimal128.fromString(long));
    expect(variants(false)).not.toContainEqual(Decimal128.fromString(long));
  });

  test.each(['$where', 'a.$b', '', 'a..b', 'a\0b'])('the attribute %j is refused', attr => {
    expect(() => weaken({is: 'null', of: {attr}}, ground)).toThrow(expect.objectContaining({code: 'config'}));
    expect(() => projectionOf([attr])).toThrow(expect.objectContaining({code: 'config'}));
  });
});

describe('a form', () => {
  const groups: Groups = {
    form: 'groups',
    from: 's',
    where: {is: 'string', of: id},
    key: [id],
    having: {shared: [{min: 2}]},
    show: ['map.id', 'map', 'touch'],
    tags: {},
  };

  test('reads the attributes that it needs, the shorter of paths that overlap', () => {
    expect(compile(groups, ground).projection).toEqual({_id: 1, map: 1, touch: 1, sessionId: 1});
  });

  test('of plain keys is counted by the server', () => {
    expect(candidatePipeline(groups, plainKey(groups)!, ground)).toEqual([
      {$match: {sessionId: {$type: 'string', ...notArray}}},
      {$group: {_id: {k0: '$sessionId'}, n: {$sum: 1}}},
      {$match: {n: {$gte: 2}}},
    ]);
    expect(plainKey({...groups, key: [{norm: 'email'}]})).toBeNull();
    expect(plainKey({...groups, key: [{attr: 'a.b'}]})).toBeNull();
  });

  test('is read whole when a group of one may be found', () => {
    expect(leastRows({...groups, having: {shared: [{min: 3}, {max: 9}], alone: [{max: 0}]}})).toBe(1);
    expect(
      leastRows({...groups, having: {shared: [{min: 3}], odd: [{min: 2, of: {is: 'uuid', of: id}}]}}),
    ).toBe(2);
  });

  test('tallies on the server only what the server counts alike', () => {
    const by = {attr: 'status'};
    expect(tallyPipeline({form: 'tally', from: 's', by}, ground)).toEqual([
      {$group: {_id: '$status', n: {$sum: 1}}},
    ]);
    expect(tallyPipeline({form: 'tally', from: 's', by: {norm: 'status'}}, ground)).toBeNull();
    expect(tallyPipeline({form: 'tally', from: 's', by, where: {in: [1], of: by}}, ground)).toBeNull();
  });

  test('asks for the partners of some rows only, under either spelling of their id', () => {
    const hex = '65f0a1b2c3d4e5f60718293a';
    const partner: Pred = {
      partner: {
        table: 'r',
        on: [[{attr: 'owner'}, {attr: 'who'}]],
        where: {is: 'string', of: {attr: 'open'}},
      },
    };
    const form = {form: 'rows' as const, from: 's', where: partner, show: [], tags: {}};
    expect(compilePartners(form, 'r', ground, [{owner: hex}, {owner: null}])).toMatchObject({
      filter: {$and: [{open: {$type: 'string', ...notArray}}, {who: {$in: [hex, new ObjectId(hex)]}}]},
      projection: {_id: 1, who: 1, open: 1},
    });
  });
});

describe('values', () => {
  test.each([
    ['an exact number', Long.fromNumber(5), 5],
    ['an integer beyond 2^53', Long.fromString('9007199254740993'), 9007199254740993n],
    ['a date', new Date(5), new Time(5000)],
    [
      'an ObjectId',
      new ObjectId('65f0a1b2c3d4e5f60718293a'),
      new Other('objectId', '65f0a1b2c3d4e5f60718293a'),
    ],
    ['a Decimal128', Decimal128.fromString('1.10'), new Other('decimal', '1.10')],
    ['null', null, null],
    ['the deprecated undefined', undefined, new Other('undefined', 'undefined')],
    [
      'a map with a name like a prototype',
      new Map([['__proto__', new Int32(1)]]),
      Object.fromEntries([['__proto__', 1]]),
    ],
  ])('%s is neutral', (_, bson, neutral) => {
    expect(valueOfBson(bson)).toEqual(neutral);
  });

  test('undefined and keys that start with $ are not written', () => {
    expect(() => bsonOfValue(undefined)).toThrow(expect.objectContaining({code: 'usage'}));
    expect(() => bsonOfValue({$set: 1})).toThrow(expect.objectContaining({code: 'unsupported'}));
    expect(() => idOfIdentity({by: 'key', at: {_id: {$ne: 1}}})).toThrow(
      expect.objectContaining({code: 'usage'}),
    );
    expect(() => idOfIdentity({by: 'key', at: {}})).toThrow(expect.objectContaining({code: 'usage'}));
  });
});

describe('a document', () => {
  const fields = new Map<string, unknown>([
    ['_id', 'x'],
    ['10', new Int32(1)],
    ['2', null],
    ['l', [new Int32(1)]],
    ['a.b', 'dot'],
  ]);

  test('keeps the order of names like numbers', () => {
    expect([...fieldsOf(bytesOf(fields)).keys()]).toEqual(['_id', '10', '2', 'l', 'a.b']);
  });

  test('with a value that could not be put back is not touched', () => {
    // {_id: 1, v: undefined}, which drivers of today can read but not write.
    const bytes = Buffer.from('11000000105f69640001000000067600' + '00', 'hex');
    expect(canBeRestored(bytes)).toBe(false);
    const change = {op: 'delete', table: 't', identity: {by: 'key', at: {}}, version: '', image: ''} as const;
    expect(() => writeOf(change, bytes, 0)).toThrow(expect.objectContaining({code: 'unsupported'}));
  });

  test('is matched by type and value of each field', () => {
    expect(stateFilter(fields, ['new'])).toEqual({
      _id: {$eq: 'x'},
      $and: [
        {new: {$exists: false}},
        {10: {$eq: new Int32(1), $type: 'int', ...notArray}},
        {2: {$type: 'null', ...notArray}},
        {l: {$eq: [new Int32(1)], $type: 'array'}},
      ],
    });
  });

  test('after an update is told from one in which something else changed too', () => {
    const before = bytesOf(
      new Map<string, unknown>([
        ['_id', 'x'],
        ['a', new Int32(1)],
        ['b', 'b'],
      ]),
    );
    const change = {
      op: 'update',
      table: 't',
      identity: {by: 'key', at: {}},
      version: '',
      image: '',
      set: {a: {value: 2}, n: {value: 'new'}},
    } as const;
    const write = writeOf(change, before, 0) as Write & {kind: 'update'};
    expect(write.update).toEqual({$set: {a: new Int32(2), n: 'new'}});
    const result = new Map<string, unknown>([
      ['_id', 'x'],
      ['a', new Int32(2)],
      ['b', 'b'],
      ['n', 'new'],
    ]);
    expect(isResultOf(write, result)).toBe(true);
    expect(isResultOf(write, new Map([...result, ['more', true]]))).toBe(false);
    expect(isResultOf(write, new Map([...result, ['b', 'B']]))).toBe(false);
  });

  test('keeps its _id in an update, and takes a new one in a copy', () => {
    const bytes = bytesOf(fields);
    const image = {bson: Buffer.from(bytes).toString('base64')};
    const update = {
      op: 'update',
      table: 't',
      identity: {by: 'key', at: {}},
      version: '',
      image,
      set: {_id: {value: 'y'}},
    } as const;
    expect(() => writeOf(update, bytes, 0)).toThrow(expect.objectContaining({code: 'unsupported'}));
    const copy = {
      op: 'insert',
      table: 't',
      identity: {by: 'key', at: {}},
      version: null,
      from: image,
      set: {l: {remove: true}},
    } as const;
    const {after} = writeOf(copy, undefined, 0) as Write & {kind: 'insert'};
    expect([...after.keys()]).toEqual(['_id', '10', '2', 'a.b']);
    expect(after.get('_id')).not.toBe('x');
  });
});
