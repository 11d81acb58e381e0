/** `history`: the runs, and with --verify whether backups and the audit log are as they were written. */

import {toCsv} from '../output/csv.js';
import {toJsonText} from '../output/json.js';
import {toNdjson} from '../output/ndjson.js';
import {renderTable} from '../output/table.js';
import {sanitise} from '../sanitise.js';
import type {RunSummary} from '../types.js';
import type {Json} from '../values.js';
import {counted} from '../words.js';
import type {Context} from './context.js';

const columns = [
  {name: 'run', header: 'RUN'},
  {name: 'at', header: 'AT'},
  {name: 'by', header: 'BY'},
  {name: 'check', header: 'CHECK'},
  {name: 'action', header: 'ACTION'},
  {name: 'state', header: 'STATE'},
  {name: 'planned', header: 'PLANNED', align: 'right' as const},
  {name: 'applied', header: 'APPLIED', align: 'right' as const},
  {name: 'skipped', header: 'SKIPPED', align: 'right' as const},
  {name: 'failed', header: 'FAILED', align: 'right' as const},
  {name: 'unknown', header: 'UNKNOWN', align: 'right' as const},
  {name: 'undoes', header: 'TOOK BACK'},
  {name: 'note', header: 'NOTE'},
];
/** Too long for a table; a person gets it below. */
const csvColumns = [...columns, {name: 'stopped', header: 'STOPPED'}];

const stoppedLines = (runs: RunSummary[]): string =>
  runs
    .filter(({stopped}) => stopped !== undefined)
    .map(({run, stopped}) => `Run ${run} was stopped: ${sanitise(stopped!)}\n`)
    .join('');

const rowOf = (run: RunSummary): Record<string, string> =>
  Object.fromEntries(Object.entries(run).map(([name, value]) => [name, value === null ? '' : String(value)]));

export const history = async (context: Context): Promise<number> => {
  const [{listRuns}, {verifyState}] = await Promise.all([
    import('../engine/disk/run-files.js'),
    import('../engine/disk/verify.js'),
  ]);
  const stateDirectory = await context.stateDirectory();
  const all = await listRuns(stateDirectory);
  const runs = all.slice(0, context.flags.number('limit') ?? all.length);
  const problems = context.flags.has('verify') ? await verifyState(stateDirectory) : null;
  const {output, print} = context;
  if (output === 'json') await print(toJsonText({runs, ...(problems ? {problems} : {})}));
  else if (output === 'ndjson') await print(toNdjson(runs as unknown as Json[]));
  else if (output === 'csv') await print(toCsv(csvColumns, runs.map(rowOf)));
  else
    await print(
      runs.length > 0
        ? renderTable(
            columns.filter(({name}) => name !== 'undoes' || runs.some(({undoes}) => undoes !== null)),
            runs.map(rowOf),
            {width: context.width, color: context.color},
          ) + stoppedLines(runs)
        : `No runs yet in ${sanitise(stateDirectory)}.\n`,
    );
  for (const problem of problems ?? []) context.tell(problem);
  if (problems && output === 'table')
    await print(
      problems.length === 0
        ? 'Backups and the audit log are as they were written.\n'
        : `${counted(problems.length, 'problem')}.\n`,
    );
  return problems && problems.length > 0 ? 1 : 0;
};
