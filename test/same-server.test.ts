/** When a run or a plan belongs to the server that the store is now. */
import {expect, test} from 'vitest';
import {isSameServer} from '../source/same-server.js';

test('a replica set stays the same one when members come and go', () => {
  expect(isSameServer('mongodb://rs/a:1,b:1/chat', 'mongodb://rs/a:1,b:1/chat')).toBe(true);
  expect(isSameServer('mongodb://rs/a:1/chat', 'mongodb://rs/a:1,b:1,c:1/chat')).toBe(true);
  expect(isSameServer('mongodb://rs/a:1,b:1/chat', 'mongodb://rs/b:1,c:1/chat')).toBe(true);
});

test('another set, another database and a set with no member in common are other servers', () => {
  expect(isSameServer('mongodb://rs/a:1/chat', 'mongodb://rt/a:1/chat')).toBe(false);
  expect(isSameServer('mongodb://rs/a:1/chat', 'mongodb://rs/a:1/other')).toBe(false);
  expect(isSameServer('mongodb://rs/a:1/chat', 'mongodb://rs/b:1/chat')).toBe(false);
});

test('everything else is the same server only under the same id', () => {
  expect(isSameServer('mongodb://a:1/chat', 'mongodb://a:1/chat')).toBe(true);
  expect(isSameServer('mongodb://a:1/chat', 'mongodb://b:1/chat')).toBe(false);
  expect(isSameServer('mongodb://mongos/c1/chat', 'mongodb://mongos/c2/chat')).toBe(false);
  expect(isSameServer('postgres://7/1/gym', 'postgres://7/2/gym')).toBe(false);
});
