/** What keeps customers from buying: their open sessions and requests, and whether a cleanup would take them. */
import {staleSessions} from '../checks/stale-sessions.js';
import type {Blocking} from '../engine/customer/report.js';
import {valueAt} from '../evaluate.js';
import type {Pred, Rows} from '../forms.js';
import {toText} from '../values.js';
import type {RidesChecker} from './rides-jobs.js';

/** A session or request that blocks, as the contract tells it. */
export type BlockedBy = Pick<Blocking, 'store' | 'check' | 'id' | 'status' | 'ageSeconds' | 'stale'>;

/** `cleanable`: the check's own conditions for cancelling it hold. */
export type OpenRow = BlockedBy & {cleanable: boolean};

/**
 * The open rows of these customers: a question to each of the two tables, by customer and status. Customers without
 * one have an empty list.
 */
export const lookAt = (checker: RidesChecker, customers: string[]): Promise<Map<string, OpenRow[]>> => {
  const {config, store} = checker;
  const {sessions, requests, statuses} = config;
  return checker.ask(
    async ({connector, parts, now}) => {
      const open = new Map<string, OpenRow[]>(customers.map(customer => [customer, []]));
      for (const part of parts) {
        const [columns, cleaned, kept] =
          part.name === 'requests'
            ? [requests, statuses.pending, []]
            : [sessions, statuses.waiting, statuses.active];
        const where: Pred[] = [
          {in: customers, of: {attr: columns.customer}},
          {in: [...cleaned, ...kept], of: {attr: columns.status}},
        ];
        const form: Rows = {...(part.form as Rows), where: {all: where}};
        const survey = await connector.survey(form, {now, offset: 0, limit: Number.MAX_SAFE_INTEGER});
        for (const {rows} of survey.found)
          for (const row of rows) {
            const blocks = staleSessions.blocks!(config, row, now);
            const own = open.get(toText(valueAt(row.values, columns.customer)));
            if (!blocks || !own) continue;
            own.push({
              store: store.name,
              check: checker.id,
              id: toText(blocks.id),
              status: blocks.status,
              ageSeconds: blocks.since === null ? null : Math.max(0, Math.floor((now - blocks.since) / 1e6)),
              stale: blocks.stale,
              cleanable: cleaned.includes(blocks.status) && row.tags.some(tag => tag !== 'unknown-age'),
            });
          }
      }
      return open;
    },
    {insist: true},
  );
};
