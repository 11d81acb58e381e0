/** What keeps background sessions single and there, and device sessions their owner's. */
import type {DeviceSessionsConfig} from '../config/schema.js';
import type {Expr, Pred} from '../forms.js';
import {type Guard, nameInSchema} from '../guards.js';

export const deviceSessionsGuards = ({table, columns}: DeviceSessionsConfig): Guard[] => {
  const where: Pred = {in: ['background'], of: {attr: columns.type}};
  const key: Expr[] = [{norm: columns.email}];
  return [
    {
      name: 'one-background',
      prevents: 'An email gets a second background session.',
      rule: {rule: 'one', name: `${nameInSchema(table)}_one_background`, table, key, where},
      findings: {reasons: ['duplicate-background'], action: 'keep-latest-background'},
      // Background sessions of an empty email are nobody's findings, and yet equal.
      violations: {
        form: 'groups',
        from: table,
        where,
        key,
        having: {several: [{min: 2}]},
        show: [columns.id, columns.email],
        tags: {},
      },
      arrange: null,
    },
    {
      name: 'protect-background',
      prevents: 'A clean-up or a logout deletes a background or protected session.',
      rule: {rule: 'undeletable', table, columns},
      findings: null,
      violations: null,
      arrange: null,
    },
    {
      name: 'row-security',
      prevents: "A signed-in user reads or changes somebody else's sessions, or any background session.",
      rule: {rule: 'own-rows', table, columns},
      optIn: true,
      findings: null,
      violations: null,
      arrange: null,
    },
  ];
};
