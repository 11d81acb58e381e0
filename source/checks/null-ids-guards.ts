/** What keeps every document's id there, text, and its own. */
import type {NullIdsConfig} from '../config/schema.js';
import type {Guard} from '../guards.js';

const absent = ['null-id', 'missing-id', 'empty-id'];

export const nullIdsGuards = ({table, id}: NullIdsConfig): Guard[] => [
  {
    name: 'unique-id',
    prevents: `Two documents have the same ${id}.`,
    rule: {rule: 'unique-id', table, id},
    findings: {reasons: [...absent, 'duplicate-id'], action: 'assign-ids'},
    violations: null,
    arrange: null,
  },
  {
    name: 'id-validator',
    prevents: `A document is stored whose ${id} is null, missing, empty or not text.`,
    rule: {rule: 'valid-id', table, id},
    findings: {reasons: absent, action: 'assign-ids'},
    lets: {reasons: ['wrong-type-id'], action: 'assign-ids'},
    violations: null,
    arrange: null,
  },
];
