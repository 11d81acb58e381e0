/** What keeps a stale session from blocking its customer. */
import type {StaleSessionsConfig} from '../config/schema.js';
import type {Expr, Pred} from '../forms.js';
import {type Guard, nameInSchema} from '../guards.js';

/** `stale`: the waiting sessions that the check would call stale. */
export const staleSessionsGuards = (config: StaleSessionsConfig, stale: Pred): Guard[] => {
  const {sessions, statuses} = config;
  const open: Pred = {in: [...statuses.waiting, ...statuses.active], of: {attr: sessions.status}};
  const key: Expr[] = [{attr: sessions.customer}];
  return [
    {
      name: 'auto-cancel',
      prevents: 'A stale waiting session keeps its customer from buying.',
      rule: {
        rule: 'cancel-first',
        table: sessions.table,
        customer: sessions.customer,
        stale,
        active: statuses.active,
        set: {
          [sessions.status]: {value: statuses.cancelled},
          [sessions.updatedAt]: {now: true, zone: config.timeZone},
        },
      },
      findings: null,
      violations: null,
      arrange: null,
    },
    {
      name: 'one-open-session',
      prevents: 'A customer gets a second waiting or active session.',
      rule: {
        rule: 'one',
        name: `${nameInSchema(sessions.table)}_one_open_session`,
        table: sessions.table,
        key,
        where: open,
      },
      optIn: true,
      findings: {reasons: ['very-stale-waiting', 'stale-waiting', 'orphaned'], action: 'cancel'},
      violations: {
        form: 'groups',
        from: sessions.table,
        where: open,
        key,
        having: {several: [{min: 2}]},
        show: [sessions.id, sessions.customer, sessions.status],
        tags: {},
      },
      arrange: null,
    },
  ];
};
