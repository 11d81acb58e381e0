/** What the guards of MongoDB make of what they see, without a server. */
import {expect, test} from 'vitest';
import {progressOf} from '../../connectors/mongodb/guards/perform.js';
import {refusal} from '../../connectors/mongodb/guards/rules.js';
import {demandOf, demands, merged, withoutDemand} from '../../connectors/mongodb/guards/schema.js';
import {scriptOf} from '../../connectors/mongodb/guards/script.js';
import type {Seen} from '../../connectors/mongodb/guards/seen.js';
import {
  uniqueCapture,
  uniqueInstall,
  uniqueState,
  uniqueUninstall,
} from '../../connectors/mongodb/guards/unique-id.js';
import {
  validCapture,
  validInstall,
  validState,
  validUninstall,
} from '../../connectors/mongodb/guards/valid-id.js';

const rule = {rule: 'unique-id' as const, table: 'c', id: 'a'};
const seen = (more: Partial<Seen> = {}): Seen => ({
  database: 'd',
  table: 'c',
  type: 'collection',
  collated: false,
  indexes: [],
  validation: {validator: null, level: 'strict', action: 'error'},
  abilities: {modifies: true, converts: true, sharded: false},
  shardKey: null,
  ...more,
});

test('a view, a time series and a collection that is sharded by something else have no unique index', () => {
  for (const type of ['view', 'timeseries'])
    expect(uniqueState(seen({type}), rule)).toEqual({state: 'unavailable', why: `c is a ${type}`});
  expect(uniqueState(seen({shardKey: {b: 1}}), rule).why).toContain('sharded by b');
  expect(uniqueState(seen({shardKey: {a: 'hashed'}}), rule).state).toBe('unavailable');
  expect(uniqueState(seen({shardKey: {a: 1}}), rule).state).toBe('missing');
});

test('ids are told apart byte by byte, whatever the collation of the collection', () => {
  const [build] = uniqueInstall(seen({collated: true}), rule);
  expect(build!.commands[0]!.document.indexes).toEqual([
    {key: {a: 1}, name: 'a_1', collation: {locale: 'simple'}},
  ]);
  const plain = {key: {a: 1}, name: 'a_1', unique: true, collation: {locale: 'en'}};
  const indexes = [{name: 'a_1', plain, exact: plain}];
  expect(uniqueState(seen({indexes}), rule)).toEqual({
    state: 'drifted',
    why: 'the index a_1 is of another collation',
  });
});

test('an index of the simple collation comes back with it, not with that of its collection', () => {
  const wanted = [expect.objectContaining({name: 'by_a', collation: {locale: 'simple'}})];
  const plain = {v: 2, key: {a: 1}, name: 'by_a'};
  const old = seen({collated: true, indexes: [{name: 'by_a', plain, exact: plain}]});
  const made = {...plain, unique: true};
  const now = seen({collated: true, indexes: [{name: 'by_a', plain: made, exact: made}]});
  const [task] = uniqueUninstall(now, rule, uniqueCapture(old, rule));
  expect(task!.commands.at(-1)!.document.indexes).toEqual(wanted);
  const [replace] = uniqueInstall(
    {...old, abilities: {modifies: true, converts: false, sharded: false}},
    rule,
  );
  expect(replace!.back![0]!.document.indexes).toEqual(wanted);
  expect(scriptOf('d', [{guard: 'unique-id', rule, seen: old}], 'uninstall')).toContain(
    String.raw`\"collation\":{\"locale\":\"simple\"}`,
  );
});

test('the script of a server that changes no index in place puts every index back that it took away', () => {
  const plain = {v: 2, key: {a: 1}, name: 'by_a'};
  const odd = {v: 2, key: {a: 1}, name: 'a_1', sparse: true};
  const indexes = [plain, odd].map(spec => ({name: spec.name, plain: spec, exact: spec}));
  const abilities = {modifies: true, converts: false, sharded: false};
  const down = scriptOf('d', [{guard: 'unique-id', rule, seen: seen({indexes, abilities})}], 'uninstall');
  expect(down).toMatch(/const old = .*by_a.*;\n +const others = \[.*a_1.*sparse.*\];/);
  new Function(down);
});

const valid = {rule: 'valid-id' as const, table: 'c', id: 'a'};

test('the moderate level of a half-done install is not taken for what was there before', () => {
  const half = seen({validation: {validator: demandOf('a'), level: 'moderate', action: 'error'}});
  expect(validCapture(half, valid)).toEqual({validator: null, level: 'strict', action: 'error'});
  const [away] = validUninstall(half, valid, validCapture(half, valid));
  expect(away!.commands[0]!.document).toMatchObject({validator: {}, validationLevel: 'strict'});
  const down = scriptOf('d', [{guard: 'id-validator', rule: valid, seen: half}], 'uninstall');
  expect(down).toContain('const level = "strict";');
  const none = seen({validation: {validator: null, level: 'moderate', action: 'warn'}});
  expect(validCapture(none, valid)).toEqual({validator: null, level: 'moderate', action: 'warn'});
});

test('a validator that refuses and tells the log too counts as one that refuses, and goes on telling it', () => {
  const other = seen({validation: {validator: {n: 1}, level: 'strict', action: 'errorAndLog'}});
  expect(validState(other, valid, null).state).toBe('missing');
  expect(validInstall(other, valid, null)[0]!.commands[0]!.document.validationAction).toBe('errorAndLog');
  const own = seen({validation: {validator: demandOf('a'), level: 'strict', action: 'errorAndLog'}});
  expect(validState(own, valid, null)).toEqual({state: 'installed', why: null});
  expect(scriptOf('d', [{guard: 'id-validator', rule: valid, seen: other}], 'install')).toContain(
    "['error', 'errorAndLog'].includes(action)",
  );
});

test('a demand is put beside a validator, found in it and taken out of it', () => {
  const other = {n: {$gte: 0}};
  for (const id of ['a', 'a.b']) {
    expect(withoutDemand(merged(other, id), id)).toEqual(other);
    expect(withoutDemand(merged(null, id), id)).toBeNull();
    expect(demands(merged(other, id), id)).toBe(true);
    expect(demands(other, id)).toBe(false);
  }
  const stronger = {
    $jsonSchema: {required: ['x', 'a'], properties: {a: {bsonType: 'string', minLength: 36}}},
  };
  expect(demands(stronger, 'a')).toBe(true);
  expect(withoutDemand(stronger, 'a')).toEqual(stronger);
  const {$jsonSchema} = demandOf('a');
  expect(demands({$jsonSchema: {...$jsonSchema, required: ['x']}}, 'a')).toBe(false);
  expect(demands({$jsonSchema: {...$jsonSchema, properties: {a: {bsonType: 'string'}}}}, 'a')).toBe(false);
  expect(demands({$or: [demandOf('a'), {}]}, 'a')).toBe(false);
});

test('how far an index is comes from the build of this collection', () => {
  const build = {ns: 'd.c', msg: 'Index Build: scanning collection', progress: {done: 41, total: 100}};
  expect(progressOf([{ns: 'd.other'}, build], 'd.c')).toBe('building the index: 41 %');
  expect(progressOf([build], 'd.e')).toBeNull();
  expect(progressOf([{...build, progress: {done: 0, total: 0}}], 'd.c')).toBeNull();
});

test('what MongoDB has no guard for is refused with a reason', () => {
  const columns = ['a'];
  expect(refusal(rule)).toBeNull();
  expect(refusal({rule: 'sorted', table: 'c', columns})).toContain('no triggers');
  expect(refusal({rule: 'unique', table: 'c', columns, unordered: []})).toContain('null-ids');
});
