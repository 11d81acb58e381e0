/** Units outside of memory come back the same, from memory and from a file. */
import {readdir, readlink} from 'node:fs/promises';
import {join} from 'node:path';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import type {Change, Unit} from '../../source/connector.js';
import {UnitSpool} from '../../source/engine/plan/units.js';
import type {Pred} from '../../source/forms.js';
import {Other, Time, type Value} from '../../source/values.js';
import {temporaryDirectory} from '../support/cli.js';

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.string({unit: 'binary'}),
  fc.bigInt(),
  fc.double({noNaN: true}),
  fc.boolean(),
  fc.constant(null),
  fc.constant(new Time(1_700_000_000_123_456)),
  fc.constant(new Time(Number.POSITIVE_INFINITY)),
  fc.constant(new Other('decimal', '1.10')),
  fc.array(fc.string()),
);
const name = fc.oneof(fc.string({minLength: 1}), fc.constant('__proto__'), fc.constant('$set'));
const seen = {
  table: fc.string(),
  identity: fc.record({by: fc.constant('key' as const), at: fc.dictionary(name, fc.string())}),
  version: fc.string(),
  image: fc.dictionary(name, fc.oneof(fc.string({unit: 'binary'}), fc.constant(null))),
};
const set = fc.dictionary(
  name,
  fc.oneof(
    value.map(item => ({value: item})),
    fc.constant({now: true as const}),
    fc.constant({remove: true as const}),
  ),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    ...seen,
    op: fc.constant('delete' as const),
    still: fc.constant<Pred>({in: ['a', 1, ['b', null, true]], of: {attr: 'x'}}),
  }),
  fc.record({...seen, op: fc.constant('update' as const), set, required: fc.constant(true as const)}),
  fc.record({
    ...seen,
    op: fc.constant('update' as const),
    to: seen.image,
    source: fc.constant([1, 2] as [number, number]),
  }),
  fc.record({
    op: fc.constant('insert' as const),
    table: seen.table,
    identity: seen.identity,
    version: fc.constant(null),
    row: seen.image,
    skip: fc.constant('gone'),
  }),
  fc.record({
    op: fc.constant('insert' as const),
    table: seen.table,
    identity: seen.identity,
    version: fc.constant(null),
    from: seen.image,
    set,
  }),
);
const unit: fc.Arbitrary<Unit> = fc.record({
  group: fc.oneof(
    fc.constant(null),
    fc.record({
      table: fc.string(),
      where: value.map(item => ({
        all: [
          {in: [item as string], of: {attr: 'a'}},
          {older: 5, of: {attr: 'b'}},
        ],
      })),
      keep: fc.constant({by: 'first' as const}),
      keeper: fc.oneof(fc.constant(null), seen.identity),
    }),
  ),
  changes: fc.array(change, {minLength: 1, maxLength: 3}),
});

const read = async (spool: UnitSpool): Promise<Unit[]> => {
  const units: Unit[] = [];
  for await (const item of spool) units.push(item);
  return units;
};

test('every kind of change and value comes back the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(unit, {maxLength: 5}), async units => {
      const spool = new UnitSpool('nowhere');
      for (const item of units) await spool.add(item);
      expect(await read(spool)).toEqual(units);
    }),
  );
});

/** The files that this process has open, those without a name too; null where the system does not tell. */
const openFiles = async (): Promise<string[] | null> => {
  const fds = await readdir('/proc/self/fd').catch(() => null);
  return fds && Promise.all(fds.map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
};

test('a large plan lies in a file that has no name', async () => {
  const directory = await temporaryDirectory();
  const spool = new UnitSpool(directory);
  const text = 'x'.repeat(1 << 20);
  const large = (n: number): Unit => ({
    group: null,
    changes: [
      {
        op: 'delete',
        table: 't',
        identity: {by: 'key', at: {id: `${n}`}},
        version: 'v',
        image: {id: `${n}`, text: `${text}\u2028\n`},
      },
    ],
  });
  for (let n = 0; n < 70; n++) await spool.add(large(n));
  expect(await readdir(directory)).toEqual([]);
  const open = await openFiles();
  if (open) expect(open.filter(path => path.startsWith(join(directory, 'plan-')))).toHaveLength(1);
  for (const _ of ['once', 'again']) {
    let n = 0;
    for await (const item of spool) expect(item).toEqual(large(n++));
    expect(n).toBe(70);
  }
  await spool.close();
});
