/** `customer ID`: is this customer blocked, by what, and what would unblock them; with --clean --yes it does. */
import type {CustomerReport} from '../engine/customer/report.js';
import {type CommandText, verdictOf} from '../engine/customer/verdict.js';
import type {FullEngine} from '../engine/engine.js';
import {SesstuiError} from '../errors.js';
import {incidentMarkdown} from '../incident.js';
import {toCsv} from '../output/csv.js';
import {toJsonText} from '../output/json.js';
import {toNdjson} from '../output/ndjson.js';
import type {RunResult} from '../types.js';
import type {Json} from '../values.js';
import type {Context} from './context.js';
import {cleanFor, nextLines} from './customer-clean.js';
import {follow} from './customer-follow.js';
import {csvColumns, csvRows, reportText} from './customer-text.js';
import {onlyPlans, runExitCode} from './running.js';
import {suggested} from './suggest.js';

/** Throws `usage` for flags that don't go together. */
const checkFlags = ({flags, output}: Context): void => {
  const refuse = (message: string, hint: string): never => {
    throw new SesstuiError('usage', message, hint);
  };
  if (flags.has('watch') && (output === 'json' || output === 'csv'))
    refuse(
      `--watch goes on, and ${output === 'json' ? 'one JSON document' : 'a CSV table'} has an end`,
      'Use --ndjson: a JSON document a line, at each change.',
    );
  if (!flags.has('watch') && flags.text('every') !== undefined)
    refuse('--every is how often --watch looks again', 'Add --watch.');
  if (flags.has('markdown') && (output !== 'table' || flags.has('watch')))
    refuse(
      `--markdown is a document of its own: it does not go with ${flags.has('watch') ? '--watch' : `--${output}`}`,
      'Call it without the other.',
    );
};

/** The report as JSON tells it: without what only marks rows, and with the verdict's commands complete. */
const jsonOf = (report: CustomerReport, results: RunResult[], commandText: CommandText): Json =>
  ({
    ...report,
    verdict: verdictOf(report, commandText),
    findings: report.findings.map(({rows, ...finding}) => ({
      ...finding,
      rows: rows.map(({identity: _, ...row}) => row),
    })),
    ...(results.length > 0 ? {runs: results} : {}),
  }) as unknown as Json;

/** Tells on a terminal which stores it is waiting for; when interrupted meanwhile, what the others have told is kept. */
const lookFor = async (context: Context, engine: FullEngine, id: string): Promise<CustomerReport> => {
  let last: CustomerReport | undefined;
  const isTerminal = process.stderr.isTTY ?? false;
  const clear = (): void => void (isTerminal && process.stderr.write('\r\x1b[K'));
  try {
    return await engine.customer(id, {
      signal: context.signal,
      onPart: part => {
        last = part;
        if (!isTerminal) return;
        clear();
        if (part.waiting.length > 0) process.stderr.write(`waiting for ${part.waiting.join(', ')}`);
      },
    });
  } catch (error) {
    if (context.signal.aborted && last) return last;
    throw error;
  } finally {
    clear();
  }
};

const exitCode = (report: CustomerReport, results: RunResult[]): number => {
  const failed = runExitCode(results);
  if (failed !== 0) return failed;
  if (report.errors.length > 0) return 3;
  return report.blocked ? 1 : 0;
};

const printReport = async (
  context: Context,
  engine: FullEngine,
  told: {report: CustomerReport; before: CustomerReport; results: RunResult[]; commandText: CommandText},
): Promise<void> => {
  const {report, before, results, commandText} = told;
  const {output, print} = context;
  if (output === 'json') return void (await print(toJsonText(jsonOf(report, results, commandText))));
  if (output === 'ndjson') return void (await print(toNdjson(report.sessions as unknown as Json[])));
  if (output === 'csv') return void (await print(toCsv(csvColumns, csvRows(report))));
  if (context.flags.has('markdown')) {
    const {production, environment} = engine;
    const undo = ({run}: RunResult): string =>
      suggested(context, ['undo', run!, '--yes'], production ? [environment] : []);
    const ran = results.some(({run}) => run !== null);
    return void (await print(incidentMarkdown(report, results, {undo, ...(ran ? {before} : {})})));
  }
  const lines = await nextLines(context, engine, {report, results});
  await print(reportText(context, report, {lines, commandText}));
};

export const customer = async (context: Context): Promise<number> => {
  checkFlags(context);
  const {flags, signal} = context;
  const everyMs = flags.duration('every', 1);
  const engine = await context.engine();
  const id = context.words[0]!;
  const commandText: CommandText = words => suggested(context, words);
  const before = await lookFor(context, engine, id);
  let report = before;
  let results: RunResult[] = [];
  if (flags.has('clean') && !signal.aborted) {
    const cleanup = await cleanFor(context, engine, before);
    results = cleanup.results;
    const cleaned = results.reduce((sum, {applied}) => sum + applied, 0);
    // What a run has done is told even when it was interrupted before one could look again.
    if (!onlyPlans(context))
      report = {...(signal.aborted ? before : await lookFor(context, engine, id)), cleaned};
    if (cleanup.error !== null) report = {...report, errors: [...report.errors, cleanup.error]};
  }
  if (!flags.has('watch')) {
    await printReport(context, engine, {report, before, results, commandText});
    return signal.aborted && runExitCode(results) === 0 ? 130 : exitCode(report, results);
  }
  if (results.length > 0 && context.output === 'table')
    await printReport(context, engine, {report, before, results, commandText});
  const last = await follow(context, engine, {
    report,
    everyMs: everyMs ?? engine.refreshMs,
    commandText,
    toJson: now => jsonOf(now, now === report ? results : [], commandText),
  });
  return exitCode(last, results);
};
