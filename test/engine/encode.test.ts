import fc from 'fast-check';
import {expect, test} from 'vitest';
import {decodeValue, encodeValue} from '../../source/engine/plan/encode.js';
import {canonical, Other, Time, type Value} from '../../source/values.js';

const value: fc.Arbitrary<Value> = fc.letrec<{value: Value}>(tie => ({
  value: fc.oneof(
    {depthSize: 'small'},
    fc.constantFrom<Value>(null, undefined, -0, Number.POSITIVE_INFINITY),
    fc.string(),
    fc.boolean(),
    fc.double({noNaN: true}),
    fc.bigInt(),
    fc.integer().map(micros => new Time(micros)),
    fc.constant(new Time(Number.NEGATIVE_INFINITY)),
    fc.string().map(text => new Other('decimal', text)),
    fc.array(tie('value'), {maxLength: 4}),
    fc.dictionary(
      fc
        .oneof(fc.string(), fc.constantFrom('$missing', '$time', '$$', '$other'))
        .filter(name => name !== '__proto__'),
      tie('value'),
      {maxKeys: 4, noNullPrototype: true},
    ),
  ),
})).value;

test('a value that was written to a plan comes back the same', () => {
  fc.assert(
    fc.property(value, item => {
      const back = decodeValue(JSON.parse(JSON.stringify(encodeValue(item))));
      expect(canonical(back)).toBe(canonical(item));
      expect(back).toEqual(item);
    }),
  );
});
