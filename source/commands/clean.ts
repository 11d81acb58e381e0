/** `clean`: plans an action and, with --yes, carries it out. */

import type {FullEngine} from '../engine/engine.js';
import {defaultActions} from '../engine/plan/default-actions.js';
import {emptyResult} from '../engine/plan/planned.js';
import {SesstuiError} from '../errors.js';
import type {RunResult, Selection} from '../types.js';
import {namedCheck} from './checks.js';
import type {Context} from './context.js';
import {leftNotes} from './left.js';
import {printRuns} from './printing.js';
import {carryOutPlan, onlyPlans, requireConfirmed, runExitCode} from './running.js';
import {undoLine} from './suggest.js';

/** What the flags narrow the findings to. */
const selectionOf = ({flags}: Context): Selection => ({
  groups: flags.all('group'),
  ids: flags.all('id'),
  reasons: flags.all('reason'),
  customer: flags.text('customer'),
  olderThanMs: flags.duration('older-than'),
  limit: flags.number('limit'),
});

const isNarrowed = (selection: Selection): boolean =>
  Object.values(selection).some(value => value !== undefined);

/** All plans are looked at before the first is carried out: none is when one of them lacks its confirmation. */
const confirmAll = async (context: Context, engine: FullEngine): Promise<void> => {
  for (const check of engine.checks)
    for (const action of defaultActions(check))
      requireConfirmed(context, [await engine.plan(check.id, action, {}, {signal: context.signal})]);
};

const cleanAll = async (context: Context, engine: FullEngine): Promise<RunResult[]> => {
  if (engine.production && !onlyPlans(context)) await confirmAll(context, engine);
  const results: RunResult[] = [];
  try {
    await cleanEach(context, engine, results);
  } catch (error) {
    for (const result of results)
      if (result.run !== null)
        context.tell(
          `Done before that: ${result.check} ${result.action}. ${await undoLine(context, engine, result)}`,
        );
    throw error;
  }
  return results;
};

const cleanEach = async (context: Context, engine: FullEngine, results: RunResult[]): Promise<void> => {
  for (const check of engine.checks) {
    const before = results.length;
    for (const action of defaultActions(check)) {
      const result = await carryOutPlan(context, engine, check.id, action, {});
      if (result.planned > 0)
        results.push(result.dryRun && results.length > before ? withNote(result) : result);
      if (result.interrupted) return;
    }
    // A check with nothing to do is told all the same.
    if (results.length === before) results.push(nothingToDo(check.id, defaultActions(check)[0]!, context));
  }
};

/** Plans of one check are all made on the data as it is; carried out one after another, the later ones find less. */
const withNote = (result: RunResult): RunResult => ({
  ...result,
  notes: [
    ...result.notes,
    'planned on the data as it is now: what an earlier action mends is not left for this one',
  ],
});

const nothingToDo = (check: string, action: string, {flags}: Context): RunResult => ({
  ...emptyResult(check, action),
  dryRun: !flags.has('yes') || flags.has('dry-run'),
  remaining: 0,
});

export const clean = async (context: Context): Promise<number> => {
  const {flags, words} = context;
  const selection = selectionOf(context);
  const action = flags.text('action');
  const id = words[0];
  if (flags.has('all')) {
    if (id !== undefined || action !== undefined || isNarrowed(selection) || flags.has('out'))
      throw new SesstuiError(
        'usage',
        '--all takes no check, action, narrowing or --out',
        'Either `clean --all`, or `clean CHECK --action ACTION …`.',
      );
    const results = await cleanAll(context, await context.engine());
    await printRuns(context, results, {several: true});
    return runExitCode(results);
  }
  const engine = await context.engine();
  if (id === undefined)
    throw new SesstuiError(
      'usage',
      'clean needs a check',
      `For example: sesstui clean ${engine.checks[0]?.id ?? 'STORE/CHECK'} --action ACTION. The checks: ${engine.checks.map(check => check.id).join(', ')}.`,
    );
  const checker = namedCheck(engine, id);
  const check = checker.info;
  if (action === undefined)
    throw new SesstuiError(
      'usage',
      `clean ${id} needs --action`,
      `Its actions: ${check.actions.map(({name}) => name).join(', ')}.`,
    );
  const out = flags.text('out');
  if (out !== undefined && flags.has('yes'))
    throw new SesstuiError(
      'usage',
      '--out writes the plan for someone to review, and --yes carries it out',
      'Give one of them; then `sesstui apply FILE --yes`.',
    );
  const result = await carryOutPlan(context, engine, id, action, selection, plan =>
    leftNotes(checker, action, selection, plan, context.signal),
  );
  await printRuns(context, [result]);
  return runExitCode([result]);
};
