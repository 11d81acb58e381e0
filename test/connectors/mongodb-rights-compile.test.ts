/** Which rights a user lacks for the guards of a collection. */
import {expect, test} from 'vitest';
import {lacking} from '../../connectors/mongodb/guards/rights.js';

const actions = ['createIndex', 'collMod'];
const missing = (...privileges: {resource?: object; actions?: string[]}[]): string[] =>
  lacking(actions, privileges, 'chat', 'conversations');

test('what no privilege on the collection, its database or any has is lacking', () => {
  expect(missing()).toEqual(actions);
  expect(missing({resource: {db: 'chat', collection: ''}, actions: ['find', 'createIndex']})).toEqual([
    'collMod',
  ]);
  expect(missing({resource: {db: 'chat', collection: 'others'}, actions})).toEqual(actions);
  expect(missing({resource: {db: 'other', collection: ''}, actions})).toEqual(actions);
  expect(missing({resource: {cluster: true}, actions})).toEqual(actions);
});

test('privileges on the collection, its database, every database or any resource are enough, also put together', () => {
  expect(missing({resource: {db: 'chat', collection: 'conversations'}, actions})).toEqual([]);
  expect(missing({resource: {db: '', collection: ''}, actions})).toEqual([]);
  expect(missing({resource: {anyResource: true}, actions: ['anyAction']})).toEqual([]);
  expect(
    missing(
      {resource: {db: 'chat', collection: ''}, actions: ['createIndex']},
      {resource: {db: '', collection: 'conversations'}, actions: ['collMod']},
    ),
  ).toEqual([]);
});
