/** What a watch prints: lines for people, and with --ndjson a line of JSON for each round. */
import {toNdjson} from '../output/ndjson.js';
import {type Line, openLog, type Suggest} from '../watch/log.js';
import type {Round, RoundListener} from '../watch/round.js';
import type {Context} from './context.js';
import {suggested} from './suggest.js';

/** Commands on the same configuration and state directory; none where the stores end with this one. */
export const suggestions = (context: Context): Suggest =>
  context.flags.has('demo') ? null : words => suggested(context, words);

/** A round as a line of JSON: what was seen, and what was done without the single changes. */
const summaryOf = (
  {environment, look, stores, runs, customers, refused}: Round,
  redact: Context['redact'],
) => ({
  environment,
  ...look,
  ...(look.error ? {error: {...look.error, message: redact(look.error.message)}} : {}),
  stores: stores.map(({store, state}) => ({store, state})),
  runs: runs.map(({changes: _, ...run}) => ({...run, customers: customers[run.run ?? ''] ?? []})),
  refused: refused.map(({action, text}) => ({action, text: redact(text)})),
});

/** What is printed of each round, and whether the last of them was cut short. */
export const openReporter = (context: Context, say: (line: Line) => void) => {
  const linesOf = openLog(suggestions(context));
  const seen = {isCutShort: false};
  const round: RoundListener = async told => {
    if (context.signal.aborted && told.runs.some(({interrupted}) => interrupted)) seen.isCutShort = true;
    for (const line of linesOf(told)) say(line);
    if (context.output === 'ndjson') await context.print(toNdjson([summaryOf(told, context.redact)]));
  };
  return {round, seen};
};
