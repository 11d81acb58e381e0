/** What keeps every document's id there, text, and its own. */
import type {NullIdsConfig} from '../config/schema.js';
import type {Expr, Pred} from '../forms.js';
import type {Guard} from '../guards.js';

const absent = ['null-id', 'missing-id', 'empty-id'];

/** There is an id, and it is not text. */
export const isOfWrongType = (of: Expr): Pred => ({
  all: [
    {no: {is: 'null', of}},
    {no: {is: 'missing', of}},
    {any: [{no: {is: 'string', of}}, {is: 'array', of}]},
  ],
});

const ofWrongType = {reasons: ['wrong-type-id'], action: 'assign-ids'};

export const nullIdsGuards = ({table, id}: NullIdsConfig): Guard[] => [
  {
    name: 'unique-id',
    prevents: `Two documents have the same ${id}.`,
    rule: {rule: 'unique-id', table, id},
    findings: {reasons: [...absent, 'duplicate-id'], action: 'assign-ids'},
    // A unique index takes each element of an array for an id: equal ids in it are found by no equality of whole ids.
    violations: {
      form: 'groups',
      from: table,
      where: isOfWrongType({attr: id}),
      key: [{attr: id}],
      having: {shared: [{min: 2}], array: [{of: {is: 'array', of: {attr: id}}, min: 1}]},
      show: [id],
      tags: {},
    },
    byHand: ofWrongType,
    arrange: null,
  },
  {
    name: 'id-validator',
    prevents: `A document is stored whose ${id} is null, missing, empty or not text.`,
    rule: {rule: 'valid-id', table, id},
    findings: {reasons: absent, action: 'assign-ids'},
    lets: ofWrongType,
    violations: null,
    arrange: null,
  },
];
