/** Carrying out a plan from the command line: what clean, undo and customer --clean share. */

import ms from 'ms';
import type {FullEngine} from '../engine/engine.js';
import {SesstuiError} from '../errors.js';
import {toCsv} from '../output/csv.js';
import {toJsonText} from '../output/json.js';
import {toNdjson} from '../output/ndjson.js';
import {renderTable} from '../output/table.js';
import {sanitise, shorten} from '../sanitise.js';
import type {Plan, Progress, RunResult, Selection, ShownChange, ShownResult} from '../types.js';
import type {Json} from '../values.js';
import type {Context} from './context.js';
import {counted, resumeLine, shellWord, suggested, undoLine} from './suggest.js';

/** How many changes a person is shown; JSON and CSV have them all. */
const shownChanges = 50;

/** Without --yes, or with --dry-run, only the plan is made. */
export const onlyPlans = ({flags}: Context): boolean => !flags.has('yes') || flags.has('dry-run');

const planned = (plan: Plan): RunResult => ({
  run: null,
  dryRun: true,
  check: plan.check,
  action: plan.action,
  planned: plan.planned,
  applied: 0,
  skipped: plan.changes.filter(change => change.result === 'skipped').length,
  failed: 0,
  unknown: 0,
  remaining: null,
  changes: plan.changes,
  notes: [...plan.notes, ...confirmationNote(plan)],
});

const confirmationNote = ({confirmations}: Plan): string[] =>
  confirmations.length === 0
    ? []
    : [
        `to carry it out add --yes${confirmFlags(confirmations)}: ${confirmations.map(({why}) => why).join('; ')}`,
      ];

const confirmFlags = (confirmations: Plan['confirmations']): string =>
  confirmations.map(({expected}) => ` --confirm ${shellWord(expected)}`).join('');

/** What an interrupted run has done and left: changes that are no longer known to the plan are skipped. */
const resumed = (plan: Plan): RunResult => {
  const count = (result: ShownResult): number =>
    plan.changes.filter(change => change.result === result).length;
  return {
    ...planned(plan),
    applied: count('applied'),
    skipped: count('skipped') + plan.planned - plan.changes.length,
    failed: count('failed'),
    unknown: count('unknown'),
  };
};

/** A progress line on standard error, when it is a terminal. */
const progressLine = (): ((progress: Progress) => void) | undefined => {
  if (!process.stderr.isTTY) return undefined;
  const started = Date.now();
  let last = 0;
  return ({phase, done, total, text}) => {
    const now = Date.now();
    if (now - last < 100 && done !== total) return;
    last = now;
    const left =
      total && done > 0 ? `, about ${ms(Math.round(((now - started) / done) * (total - done)))} left` : '';
    process.stderr.write(
      `\r\x1b[K${phase}: ${text === undefined ? '' : `${text}; `}${done}${total === null ? '' : ` of ${total}`}${left}`,
    );
    if (done === total || phase === 'looking') process.stderr.write('\r\x1b[K');
  };
};

/** The note goes into files that are kept: a password that was pasted into it does not. */
export const noteOf = ({flags, redact}: Context): string | undefined => {
  const note = flags.text('note');
  return note === undefined ? undefined : redact(note);
};

/** Runs a plan that was made, or tells it. Throws what the engine throws (confirmation, read-only, …). */
export const runPlan = async (context: Context, engine: FullEngine, plan: Plan): Promise<RunResult> => {
  if (onlyPlans(context)) return plan.resumes ? resumed(plan) : planned(plan);
  return engine.run(plan, {
    note: noteOf(context),
    confirmed: context.flags.all('confirm') ?? [],
    ratePerSecond: context.flags.number('limit-rate'),
    signal: context.signal,
    onProgress: progressLine(),
  });
};

/**
 * Throws `confirmation` for the first plan that lacks one: before several plans are carried out, so that none of them
 * is when a later one would be refused.
 */
export const requireConfirmed = ({flags}: Context, plans: Plan[]): void => {
  const given = flags.all('confirm') ?? [];
  for (const {check, action, planned: count, confirmations} of plans)
    for (const {expected, why} of confirmations)
      if (!given.includes(expected) && !given.includes(`${expected}:${count}`))
        throw new SesstuiError(
          'confirmation',
          `${check} ${action}: ${why}: it needs --confirm ${expected}`,
          `Nothing was changed. Look at the plans first (without --yes), then repeat with --yes --confirm ${expected}.`,
        );
};

const planWritten = 'the plan is in';

/** Plans an action, and carries it out, writes it to `--out`, or tells it. `more`: notes on the plan. */
export const carryOutPlan = async (
  context: Context,
  engine: FullEngine,
  check: string,
  action: string,
  selection: Selection,
  more?: (plan: Plan) => Promise<string[]>,
): Promise<RunResult> => {
  const plan = await engine.plan(check, action, selection, {
    signal: context.signal,
    onProgress: progressLine(),
  });
  const notes = (await more?.(plan)) ?? [];
  const out = context.flags.text('out');
  if (out === undefined) {
    const result = await runPlan(context, engine, plan);
    return {...result, notes: [...result.notes, ...notes]};
  }
  await engine.writePlan(plan, out, noteOf(context) ?? null);
  const apply = suggested(
    context,
    ['apply', out, '--yes'],
    plan.confirmations.map(({expected}) => expected),
  );
  return {...planned(plan), notes: [...plan.notes, ...notes, `${planWritten} ${out}: ${apply}`]};
};

/** 4 when changes failed or are unknown, 130 when it was interrupted. */
export const runExitCode = (results: RunResult[]): number => {
  if (results.some(result => result.failed + result.unknown > 0 || (result.faults?.length ?? 0) > 0))
    return 4;
  return results.some(result => result.interrupted) ? 130 : 0;
};

/** A whole row would push everything else off the line; --json has it. */
const cellWidth = 72;

const short = (value: Record<string, Json> | null): string =>
  value === null
    ? ''
    : Object.entries(value)
        .map(([name, item]) => `${name}=${typeof item === 'string' ? item : JSON.stringify(item)}`)
        .join(' ');

const changeColumns = [
  {name: 'result', header: 'RESULT'},
  {name: 'op', header: 'CHANGE'},
  {name: 'table', header: 'TABLE'},
  {name: 'key', header: 'KEY'},
  {name: 'before', header: 'BEFORE'},
  {name: 'after', header: 'AFTER'},
  {name: 'why', header: 'WHY'},
];

const changeRow = (change: ShownChange): Record<string, string> => ({
  result: change.result,
  op: change.op,
  table: change.table,
  key: short(change.key),
  before: shorten(short(change.before), cellWidth),
  after: shorten(short(change.after), cellWidth),
  why: change.why ?? change.error ?? '',
});

const headOf = (result: RunResult, resuming: boolean): string => {
  const {planned: count, applied, skipped, failed, unknown} = result;
  const plan = `Plan: ${result.check} ${result.action}: `;
  if (result.dryRun && resuming) {
    const left = count - applied - skipped - failed - unknown;
    const others = Object.entries({skipped, failed, unknown}).flatMap(([name, some]) =>
      some > 0 ? [`${some} ${name}`] : [],
    );
    return `${plan}${applied} of ${counted(count, 'change')} ${applied === 1 ? 'was' : 'were'} made, ${[...others, `${left} ${left === 1 ? 'is' : 'are'} left`].join(', ')}. Nothing was changed now.`;
  }
  return result.dryRun
    ? `${plan}${counted(count, 'change')}${skipped > 0 ? ` (${skipped} will be skipped)` : ''}. Nothing was changed.`
    : `Run ${result.run ?? '(nothing to do)'}: ${result.check} ${result.action}: ${applied} applied, ${skipped} skipped, ${failed} failed, ${unknown} unknown of ${count} planned.`;
};

const runText = async (context: Context, result: RunResult, resuming: boolean): Promise<string> => {
  const engine = await context.engine();
  const rows = result.changes.slice(0, shownChanges).map(changeRow);
  const used = changeColumns.filter(column => rows.some(row => row[column.name] !== ''));
  const table = rows.length > 0 ? renderTable(used, rows, {width: context.width, color: context.color}) : '';
  const more =
    result.changes.length > shownChanges
      ? `… and ${result.changes.length - shownChanges} more (--json has them all)\n`
      : '';
  const tail = [
    ...(result.faults ?? []).map(fault => `Attention: ${sanitise(fault)}`),
    ...result.notes.map(note => `Note: ${sanitise(note)}`),
    ...(result.interrupted
      ? [`Interrupted: the rest was not changed. ${await resumeLine(context, engine, result)}`]
      : []),
    ...(result.remaining === null ? [] : [`Left: ${counted(result.remaining, 'finding')} of this kind.`]),
    ...(result.run ? [await undoLine(context, engine, result)] : []),
    ...(result.dryRun && result.planned > 0 && result.notes.every(note => !tellsHow(note))
      ? ['Carry it out with --yes.']
      : []),
  ];
  return `${headOf(result, resuming)}\n${table}${more}${tail.join('\n')}${tail.length > 0 ? '\n' : ''}`;
};

/** Does a note say how the plan is carried out? */
const tellsHow = (note: string): boolean =>
  note.startsWith('to carry it out') || note.startsWith(planWritten);

/** Prints results in the form that was asked for; `several` gives JSON's `{"runs": […]}`; `resuming`: the plan is what a run left. */
export const printRuns = async (
  context: Context,
  results: RunResult[],
  {several = false, resuming = false}: {several?: boolean; resuming?: boolean} = {},
): Promise<void> => {
  const {output, print} = context;
  if (output === 'json') await print(toJsonText(several ? {runs: results} : results[0]));
  else if (output === 'ndjson')
    await print(
      toNdjson(
        results.flatMap(result =>
          result.changes.map(
            change =>
              ({check: result.check, action: result.action, run: result.run, ...change}) as unknown as Json,
          ),
        ),
      ),
    );
  else if (output === 'csv')
    await print(
      toCsv(
        changeColumns,
        results.flatMap(result => result.changes.map(changeRow)),
      ),
    );
  else await print((await Promise.all(results.map(result => runText(context, result, resuming)))).join('\n'));
};
