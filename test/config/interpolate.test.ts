// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are configurations
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {interpolate} from '../../source/config/interpolate.js';
import {nearest} from '../../source/config/nearest.js';

const env = {HOST: 'db.internal', EMPTY: '', NESTED: '${HOST}', PORT: '5432'};

test.each([
  ['${HOST}', 'db.internal'],
  ['postgres://${HOST}:${PORT}/gym', 'postgres://db.internal:5432/gym'],
  ['${UNSET:-eu-west-1}', 'eu-west-1'],
  ['${UNSET:-}', ''],
  ['${EMPTY}', ''],
  ['${EMPTY:-other}', 'other'],
  ['${HOST:-other}', 'db.internal'],
  ['${UNSET:-${HOST}}', 'db.internal'],
  ['${UNSET:-sess_{accountId}}', 'sess_{accountId}'],
  ['${NESTED}', '${HOST}'],
  ['pa$$word', 'pa$word'],
  ['$${HOST}', '${HOST}'],
  ['5$ and $HOST', '5$ and $HOST'],
  ['sess_{accountId}', 'sess_{accountId}'],
])('%s is %s', (text, expected) => {
  expect(interpolate(text, env)).toMatchObject({text: expected, missing: [], malformed: null});
});

test('a variable that is not set is named, in a default too', () => {
  expect(interpolate('${A}-${B:-${C}}', env).missing).toEqual(['A', 'C']);
});

test.each(['${HOST', '${}', '${1A}', '${HO ST}', '${HOST:-x', '${HOST:x}'])('%s is malformed', text => {
  expect(interpolate(text, env).malformed).toContain('${NAME}');
});

test('only a text that is one variable and nothing else is whole', () => {
  expect(interpolate('${PORT}', env).whole).toBe(true);
  expect(interpolate('${UNSET:-5}', env).whole).toBe(true);
  expect(interpolate('${PORT}0', env).whole).toBe(false);
  expect(interpolate('${PORT}${PORT}', env).whole).toBe(false);
});

test("what an object's prototype has is no variable", () => {
  expect(interpolate('${toString}', {}).missing).toEqual(['toString']);
});

test('any text can be written with its dollar signs doubled', () => {
  fc.assert(fc.property(fc.string(), text => interpolate(text.replaceAll('$', '$$$$'), env).text === text));
});

test.each([
  ['waiting_after', 'waitingAfter'],
  ['watingAfter', 'waitingAfter'],
  ['stale', 'veryStaleAfter', 'stale-sessions'],
  ['tabel', 'table'],
])('%s is near %s', (word, ...candidates) => {
  expect(nearest(word, ['groupBy', ...candidates])).toBe(candidates.at(-1));
});

test('nothing is near a word that is like none', () => {
  expect(nearest('colour', ['table', 'groupBy', 'latestBy'])).toBeUndefined();
});
