import {expect, test} from 'vitest';
import {Gather} from '../../source/library/gather.js';

/** Work that ends when it is let, and what it was given. */
const held = () => {
  const given: string[][] = [];
  const ends: (() => void)[] = [];
  const work = async (keys: string[]): Promise<Map<string, string | Error>> => {
    given.push(keys);
    await new Promise<void>(resolve => ends.push(resolve));
    return new Map(keys.map(key => [key, key === 'bad' ? new Error('bad') : `${key}${given.length}`]));
  };
  return {given, ends, work};
};
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test('callers of one moment share a piece, later ones the next, and one of each is the first', async () => {
  const {given, ends, work} = held();
  const gather = new Gather(work);
  const early = [gather.ask('a'), gather.ask('b'), gather.ask('a')];
  await turn();
  const late = [gather.ask('a'), gather.ask('c')];
  ends[0]!();
  expect(await Promise.all(early)).toEqual([
    {value: 'a1', first: true},
    {value: 'b1', first: true},
    {value: 'a1', first: false},
  ]);
  await turn();
  ends[1]!();
  expect((await Promise.all(late)).map(({first}) => first)).toEqual([true, true]);
  expect(given).toEqual([
    ['a', 'b'],
    ['a', 'c'],
  ]);
});

test('a piece that is held up holds up only its own keys where several may be under way', async () => {
  const {given, ends, work} = held();
  const gather = new Gather(work, {pieces: 2});
  const stuck = gather.ask('a');
  await turn();
  const [again, other] = [gather.ask('a'), gather.ask('b')];
  await turn();
  expect(given).toEqual([['a'], ['b']]);
  ends[1]!();
  expect((await other).value).toBe('b2');
  ends[0]!();
  await stuck;
  await turn();
  ends[2]!();
  expect((await again).first).toBe(true);
});

test('an error of one key is its callers own, and a piece that rejects is everybody’s; both go on', async () => {
  const {ends, work} = held();
  const gather = new Gather(work);
  const both = Promise.allSettled([gather.ask('bad'), gather.ask('good')]);
  await turn();
  ends[0]!();
  expect((await both).map(({status}) => status)).toEqual(['rejected', 'fulfilled']);
  const failing = new Gather<string>(() => Promise.reject(new Error('down')), {most: 1});
  const told = await Promise.allSettled([failing.ask('a'), failing.ask('b')]);
  expect(told.map(({status}) => status)).toEqual(['rejected', 'rejected']);
});
