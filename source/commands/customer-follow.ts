/** `customer ID --watch`: looks again and again, and tells the verdict each time that something has changed. */
import {setTimeout as pause} from 'node:timers/promises';
import type {CustomerReport} from '../engine/customer/report.js';
import type {CommandText} from '../engine/customer/verdict.js';
import type {FullEngine} from '../engine/engine.js';
import {toNdjson} from '../output/ndjson.js';
import type {Json} from '../values.js';
import type {Context} from './context.js';
import {verdictLine} from './customer-text.js';

/** What a change is: ages grow without anything having happened. */
const stateOf = (report: CustomerReport): string =>
  JSON.stringify([
    report.blocked,
    report.blockedBy.map(({check, table, id, status, stale}) => [check, table, id, status, stale]),
    report.hindrances.map(({check, reason, command}) => [check, reason, command]),
    report.sessions
      .map(({check, table, key, status, wrong}) => JSON.stringify([check, table, key, status, wrong]))
      .sort(),
    report.errors.map(({check, error}) => [check, error.code]),
  ]);

export type Following = {
  report: CustomerReport;
  everyMs: number;
  commandText: CommandText;
  /** The report as JSON has it. */
  toJson: (report: CustomerReport) => Json;
};

/** Ends when the command is interrupted, with the last report: that is how one leaves it. */
export const follow = async (
  context: Context,
  engine: FullEngine,
  {report, everyMs, commandText, toJson}: Following,
): Promise<CustomerReport> => {
  const {signal, output, print} = context;
  const tell = (now: CustomerReport): Promise<unknown> =>
    print(output === 'ndjson' ? toNdjson([toJson(now)]) : `${now.at} ${verdictLine(now, commandText)}\n`);
  let last = report;
  await tell(last);
  while (!signal.aborted) {
    try {
      await pause(everyMs, undefined, {signal});
      const now = await engine.customer(report.customer, {signal});
      if (stateOf(now) !== stateOf(last)) await tell(now);
      last = now;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  return last;
};
