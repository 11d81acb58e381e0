/** What is said to a user without the right. */
import {expect, test} from 'vitest';
import {inWords} from '../../connectors/mongodb/refusals.js';

test('a refusal names the right that is missing and its role, and quotes no document', () => {
  const said =
    'not authorized on chat to execute command { findAndModify: "conversations", query: { _id: 1, text: { $eq: "private" } } }';
  expect(inWords(said)).toBe(
    'this user has no right to find, update and remove on chat.conversations (the role readWrite has it)',
  );
});

test('a collection whose name is hostile is told as the server quotes it, and what follows is not', () => {
  const said =
    'not authorized on chat to execute command { collMod: "a\\" } b", index: { name: "private" } }';
  expect(inWords(said)).toBe('this user has no right to collMod on chat.a\\" } b (the role dbAdmin has it)');
});

test('a command on a whole database and one that is not known are told too', () => {
  expect(inWords('not authorized on chat to execute command { listCollections: 1, filter: {} }')).toBe(
    'this user has no right to listCollections on the database chat (the role read has it)',
  );
  expect(inWords('not authorized on admin to execute command { hello: 1 }')).toBe(
    'this user has no right to hello on the database admin',
  );
});

test('any other text stays as it is', () => {
  expect(inWords('E11000 duplicate key error')).toBe('E11000 duplicate key error');
});
