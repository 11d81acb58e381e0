/** Guards, plans and results of installs as they are printed. */
import {findingWords} from '../engine/guards/in-the-way.js';
import type {GuardInfo, GuardPlan, GuardResult} from '../guards.js';
import {toCsv} from '../output/csv.js';
import {toJsonText} from '../output/json.js';
import {toNdjson} from '../output/ndjson.js';
import {renderTable} from '../output/table.js';
import {displayWidth, sanitise} from '../sanitise.js';
import type {Json} from '../values.js';
import {counted, nothingDone} from '../words.js';
import type {Context} from './context.js';
import {suggested, undoLine} from './suggest.js';

const colors = {installed: 32, missing: 33, drifted: 31, unavailable: 90} as const;

const paint = (text: string): string => {
  const code = colors[text.trim() as GuardInfo['state']] as number | undefined;
  return code === undefined ? text : `\x1b[${code}m${text}\x1b[39m`;
};

const columns = [
  {name: 'check', header: 'CHECK'},
  {name: 'guard', header: 'GUARD'},
  {name: 'state', header: 'STATE', paint},
  {name: 'prevents', header: 'PREVENTS'},
  {name: 'why', header: 'WHY'},
];

const rowOf = ({check, guard, state, why, prevents}: GuardInfo): Record<string, string> => ({
  check,
  guard,
  state,
  prevents,
  why: why ?? '',
});

/** For a person; what a program reads has the guard's name alone. */
const wideRow = (info: GuardInfo): Record<string, string> => ({
  ...rowOf(info),
  guard: info.optIn ? `${info.guard} (opt-in)` : info.guard,
});

const narrowRow = (info: GuardInfo): Record<string, string> => ({
  ...rowOf(info),
  prevents: info.optIn ? `(opt-in) ${info.prevents}` : info.prevents,
});

/** As wide as a line of a table can be that still tells its rows apart by their names. */
const narrowColumns = columns
  .filter(({name}) => name !== 'why')
  .map(column => (column.name === 'prevents' ? column : {...column, min: 30}));

/** What the narrow table has no room for: why each state is what it is, and of a single check the sentences. */
const below = (guards: GuardInfo[]): string => {
  const isOne = guards.every(({check}) => check === guards[0]!.check);
  return guards
    .flatMap(({check, guard, prevents, why, optIn}) => [
      ...(isOne ? [`${guard} prevents: ${optIn ? '(opt-in) ' : ''}${prevents}`] : []),
      ...(why ? [`${isOne ? '' : `${check} `}${guard}: ${why}`] : []),
    ])
    .map(line => `${sanitise(line)}\n`)
    .join('');
};

/** In a terminal that is too narrow for whole sentences they are below the table. */
const tableOf = ({width, color}: Context, guards: GuardInfo[]): string => {
  const rows = guards.map(wideRow);
  const used = columns.filter(({name}) => name !== 'why' || rows.some(({why}) => why !== ''));
  const whole = renderTable(used, rows, {width: null, color: false});
  const isFitting = whole
    .split('\n')
    .every(line => displayWidth(line) <= (width ?? Number.POSITIVE_INFINITY));
  return isFitting
    ? renderTable(used, rows, {width, color})
    : renderTable(narrowColumns, guards.map(narrowRow), {width, color}) + below(guards);
};

/** What to do next, with the first check that there is something to do about. */
const nextLine = (context: Context, guards: GuardInfo[]): string => {
  const next = guards.find(({state, optIn}) => (state === 'missing' && !optIn) || state === 'drifted');
  if (next) {
    const only = next.optIn ? ['--guard', next.guard] : [];
    return `Look at the plan of an install with: ${suggested(context, ['guards', 'install', next.check, ...only])}`;
  }
  const optional = guards.find(({state}) => state === 'missing');
  if (optional)
    return `Opt-in guards are installed by name: ${suggested(context, ['guards', 'install', optional.check, '--guard', optional.guard])}`;
  const installed = guards.find(({state}) => state === 'installed');
  return installed
    ? `Prove that they hold with: ${suggested(context, ['guards', 'test', installed.check])}`
    : 'There is nothing to install here.';
};

const plain = (guards: GuardInfo[]): Json[] => guards as unknown as Json[];

export const printGuards = async (context: Context, guards: GuardInfo[]): Promise<void> => {
  const {output, print} = context;
  if (output === 'json') return void (await print(toJsonText({guards: plain(guards)})));
  if (output === 'ndjson') await print(toNdjson(plain(guards)));
  else if (output === 'csv') await print(toCsv(columns, guards.map(rowOf)));
  else
    await print(
      guards.length > 0
        ? `${tableOf(context, guards)}${nextLine(context, guards)}\n`
        : 'No checks are configured.\n',
    );
  for (const {check, guard, error} of guards)
    if (error) context.tell(`${check} ${guard}: ${error.message}\n  ${error.hint}`);
};

/** A plan as the result of a dry run. */
const plannedGuards = (plan: GuardPlan): GuardResult => ({
  run: null,
  dryRun: true,
  check: plan.check,
  direction: plan.direction,
  guards: plan.before,
  steps: plan.steps.map(({guard, name, text}) => ({guard, name, text})),
  runs: [],
  notes: plan.notes,
  interrupted: false,
});

const indented = (text: string): string =>
  text
    .split('\n')
    .map(line => `    ${sanitise(line)}`)
    .join('\n');

/** The plan with its exact statements; `next` says how it is carried out. */
export const printGuardPlan = async (context: Context, plan: GuardPlan, next: string): Promise<void> => {
  const {output, print} = context;
  if (output === 'json')
    return void (await print(
      toJsonText({
        ...plannedGuards(plan),
        steps: plan.steps,
        findings: plan.findings,
        mends: plan.mends,
        confirmations: plan.confirmations,
      }),
    ));
  if (output === 'ndjson') return void (await print(toNdjson(plan.steps as unknown as Json[])));
  if (output === 'csv')
    return void (await print(
      toCsv(
        ['guard', 'phase', 'name', 'text'].map(name => ({name, header: name.toUpperCase()})),
        plan.steps.map(({guard, phase, name, text}) => ({guard, phase, name, text})),
      ),
    ));
  const lines = [
    `Plan: ${plan.check}: ${plan.direction} ${plan.guards.join(', ')}: ${counted(plan.steps.length, 'step')}. Nothing was changed.`,
    ...plan.steps.flatMap(({guard, text, statements}) => [
      `  ${guard}: ${sanitise(text)}`,
      ...statements.map(indented),
    ]),
    ...(Object.keys(plan.findings).length > 0 && !plan.clean
      ? [
          `In the way: ${findingWords(plan.findings)}. It is refused until they are mended; --clean mends them in the same go.`,
        ]
      : []),
    ...plan.notes.map(note => `Note: ${sanitise(note)}`),
    ...(plan.steps.length > 0 ? [next] : ['There is nothing to be done.']),
  ];
  await print(`${lines.join('\n')}\n`);
};

const headOf = ({run, check, direction, steps, error, interrupted}: GuardResult): string => {
  const how = error ? 'stopped' : interrupted ? 'interrupted' : 'done';
  return run === null
    ? `${check}: ${direction}: ${nothingDone}.`
    : `Run ${run}: ${check}: ${direction} ${how}, ${counted(steps.length, 'step')}.`;
};

export const printGuardResult = async (context: Context, result: GuardResult): Promise<void> => {
  const {output, print} = context;
  if (output === 'json') return void (await print(toJsonText(result)));
  if (output === 'ndjson') return void (await print(toNdjson(result.steps as unknown as Json[])));
  if (output === 'csv') return void (await print(toCsv(columns, result.guards.map(rowOf))));
  const back = result.run && !result.error && !context.flags.has('demo');
  const lines = [
    headOf(result),
    ...result.steps.map(({guard, text}) => `  ${guard}: ${sanitise(text)}`),
    ...(result.error
      ? [`Stopped: ${sanitise(result.error.message)}`, `  ${sanitise(result.error.hint)}`]
      : []),
    // That nothing was to be done stands above already.
    ...result.notes.filter(note => note !== nothingDone).map(note => `Note: ${sanitise(note)}`),
    ...result.runs.map(run => `Rows were mended by run ${run}.`),
    ...(back ? [await undoLine(context, await context.engine(), {run: result.run, applied: 0})] : []),
  ];
  await print(`${lines.join('\n')}\n${tableOf(context, result.guards)}`);
};
