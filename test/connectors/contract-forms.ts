/** What the contract suite asks: every expression, and every predicate on it. */
import fc from 'fast-check';
import type {Expr, Kind, Pred} from '../../source/forms.js';
import {partnersTable} from './contract-data.js';

export const exprs: Record<string, Expr> = {
  name: {attr: 'name'},
  n: {attr: 'n'},
  flag: {attr: 'flag'},
  at: {attr: 'at'},
  tags: {attr: 'tags'},
  normEmail: {norm: 'email'},
  normName: {norm: 'iso'},
  normNumber: {norm: 'n'},
  sortedTags: {set: 'tags'},
  setOfText: {set: 'name'},
  atInstant: {instant: ['at']},
  isoInstant: {instant: ['iso']},
  zoned: {instant: ['iso'], zone: 'Europe/Paris'},
  firstInstant: {instant: ['iso', 'at', 'n']},
  numberInstant: {instant: ['n']},
  filled: {fill: 's_{name}-{n}'},
  filledFlag: {fill: '{flag}'},
  digested: {digest: 'email', salt: "s'1", prefix: 'bg-', length: 12},
  firstScalar: {first: ['tags', 'name', 'email']},
  firstMixed: {first: ['n', 'name']},
};

const kinds: Kind[] = ['null', 'missing', 'empty', 'string', 'array', 'uuid', 'instant', 'finite'];

const isPreds = Object.fromEntries(
  Object.entries(exprs).flatMap(([name, of]) =>
    kinds.map((kind): [string, Pred] => [`${name} is ${kind}`, {is: kind, of}]),
  ),
);

const partner = (on: [Expr, Expr][], where?: Pred): Pred => ({
  partner: {table: partnersTable, on, ...(where ? {where} : {})},
});

export const leaves: Record<string, Pred> = {
  ...isPreds,
  'name is email': {same: [{attr: 'name'}, {attr: 'email'}]},
  'name is its norm': {same: [{attr: 'iso'}, {norm: 'iso'}]},
  'text is number': {same: [{attr: 'name'}, {attr: 'n'}]},
  'number is itself': {same: [{attr: 'n'}, {attr: 'n'}]},
  'times are the same': {same: [{instant: ['iso']}, {instant: ['at']}]},
  'sets are the same': {same: [{set: 'tags'}, {set: 'tags'}]},
  'name is a digest': {same: [{attr: 'name'}, {digest: 'email', salt: '', prefix: '', length: 64}]},
  'name in texts': {in: ['a', 'é', '', '1', "o'b", '$a', '😀'], of: {attr: 'name'}},
  'number in texts': {in: ['1', '01', 'abc', '1.0', '99999999999999999999', ''], of: {attr: 'n'}},
  'number in numbers': {in: [1, 2, true], of: {attr: 'n'}},
  'flag in': {in: ['true', 'no'], of: {attr: 'flag'}},
  'time in': {in: ['2026-11-20T09:00:00.000Z', 'x'], of: {attr: 'at'}},
  'nothing in': {in: [], of: {attr: 'name'}},
  'norm in': {in: ['ann@example.com', 'bob@example.com'], of: {norm: 'email'}},
  'filled in': {in: ['s_a-1', 's_-0'], of: {fill: 's_{name}-{n}'}},
  'array in': {in: [['S1', 'S2'], [], ['']], of: {attr: 'tags'}},
  'set in': {in: [['S1', 'S2'], ['S1'], ['S1', 'S1']], of: {set: 'tags'}},
  'array in scalars': {in: ['S1'], of: {attr: 'tags'}},
  'first in': {in: ['1', 'a', 'r1'], of: {first: ['n', 'name']}},
  'at is old': {older: 15 * 60_000, of: {instant: ['at']}},
  'at is past': {older: 0, of: {instant: ['at']}},
  'iso is old': {older: 60_000, of: {instant: ['iso']}},
  'zoned is old': {older: 60_000, of: {instant: ['iso'], zone: 'Asia/Tokyo'}},
  'any is old': {older: 60_000, of: {instant: ['at', 'iso']}},
  'at is ahead': {future: {instant: ['at']}},
  'iso is ahead': {future: {instant: ['iso', 'at']}},
  'has partner': partner([[{attr: 'id'}, {attr: 'owner'}]]),
  'has open partner': partner([[{attr: 'name'}, {attr: 'owner'}]], {in: ['open'], of: {attr: 'kind'}}),
  'has partner by norm': partner([[{norm: 'email'}, {norm: 'owner'}]], {
    no: {is: 'null', of: {attr: 'kind'}},
  }),
  everything: {all: []},
  nothing: {any: []},
};

const leaf = fc.constantFrom(...Object.values(leaves));

/** Conditions of conditions; two-valued, which `no` of something absent shows. */
export const predArbitrary: fc.Arbitrary<Pred> = fc.letrec<{pred: Pred}>(tie => ({
  pred: fc.oneof(
    {maxDepth: 3, withCrossShrink: true},
    leaf,
    fc.record({no: tie('pred')}),
    fc.record({all: fc.array(tie('pred'), {maxLength: 3})}),
    fc.record({any: fc.array(tie('pred'), {maxLength: 3})}),
  ),
})).pred;
