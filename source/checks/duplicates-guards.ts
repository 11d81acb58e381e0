/** What keeps duplicates from coming back: sorted arrays and a unique constraint, or what comes closest. */
import type {DuplicatesConfig} from '../config/schema.js';
import {type Form, type Pred, templateNames} from '../forms.js';
import type {Guard} from '../guards.js';
import type {Shapes} from './check.js';
import {createdNames, idAttribute, keepsLatest, show} from './duplicates-rules.js';

type Config = DuplicatesConfig;

/** Rows whose arrays are not as the guard would have written them. */
const unsorted = (config: Config, shapes: Shapes): Form => {
  const where: Pred = {
    any: config.unordered.map(
      (name): Pred => ({
        all: [{is: 'array', of: {attr: name}}, {no: {same: [{attr: name}, {set: name}]}}],
      }),
    ),
  };
  return {form: 'rows', from: config.table, where, show: show(config, shapes), tags: {unsorted: where}};
};

export const duplicatesGuards = (config: Config, shapes: Shapes): Guard[] => {
  const {table, groupBy, unordered, canonicalId, latestBy = [], referencedBy} = config;
  const createdAt = latestBy.find(name => createdNames.includes(name));
  const updatedAt = latestBy.find(name => !createdNames.includes(name));
  const sorts: Guard[] =
    unordered.length === 0
      ? []
      : [
          {
            name: 'sort-trigger',
            prevents: `The same ${unordered.join(', ')} in another order are stored as if they were something else.`,
            rule: {rule: 'sorted', table, columns: unordered},
            findings: null,
            violations: null,
            arrange: {form: unsorted(config, shapes), action: 'sort-arrays', columns: unordered},
          },
        ];
  return [
    ...sorts,
    {
      name: 'unique',
      prevents: `A second row with the same ${groupBy.join(', ')} is stored.`,
      rule: {rule: 'unique', table, columns: groupBy, unordered},
      ...(unordered.length > 0 && {needs: 'sort-trigger'}),
      findings: {
        reasons: ['duplicate', 'payload-differs'],
        action: keepsLatest(config) ? 'keep-latest' : 'keep-first',
      },
      violations: null,
      arrange: null,
    },
    {
      name: 'account-index',
      prevents: `Looking for a second row of the same ${groupBy.join(', ')} reads the whole table.`,
      rule: {
        rule: 'index',
        table,
        columns: groupBy,
        project: [...show(config, shapes), ...templateNames(canonicalId ?? '')],
      },
      instead: true,
      findings: null,
      violations: null,
      arrange: null,
    },
    {
      name: 'write-path',
      prevents: `A writer that looks first and then inserts makes a second row of the same ${groupBy.join(', ')}.`,
      rule: {
        rule: 'write-path',
        table,
        groupBy,
        canonicalId: canonicalId ?? null,
        idAttribute: idAttribute(config, shapes),
        ...(createdAt !== undefined && {createdAt}),
        ...(updatedAt !== undefined && {updatedAt}),
        ...(referencedBy && {referencedBy}),
      },
      instead: true,
      findings: null,
      violations: null,
      arrange: null,
    },
  ];
};
