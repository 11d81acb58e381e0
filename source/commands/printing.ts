/** Results of plans and runs as they are printed: what clean, apply, undo and resume share. */
import {toCsv} from '../output/csv.js';
import {toJsonText} from '../output/json.js';
import {toNdjson} from '../output/ndjson.js';
import {renderTable} from '../output/table.js';
import {sanitise, shorten} from '../sanitise.js';
import type {RunResult, ShownChange} from '../types.js';
import type {Json} from '../values.js';
import {counted, notMade} from '../words.js';
import type {Context} from './context.js';
import {resumeLine, undoLine} from './suggest.js';

/** How a note begins that says where the plan was written. */
export const planWritten = 'the plan is in';

/** How many changes a person is shown; JSON and CSV have them all. */
const shownChanges = 50;

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
    return `${plan}${applied} of ${counted(count, 'change')} ${applied === 1 ? 'was' : 'were'} made, ${[...notMade(result), `${left} ${left === 1 ? 'is' : 'are'} left`].join(', ')}. Nothing was changed now.`;
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
    // A run that wrote nothing leaves nothing to be taken back.
    ...(result.run && (resuming || result.applied + result.unknown > 0)
      ? [await undoLine(context, engine, result)]
      : []),
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
