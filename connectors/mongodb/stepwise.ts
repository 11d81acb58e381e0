/** A unit on a server without transactions: one conditional write after the other, each with its own way back. */
import type {ApplyOptions, Outcome, Unit} from '../../source/connector.js';
import {holds} from '../../source/evaluate.js';
import {make, settle, takeBack} from './change.js';
import type {Access} from './client.js';
import {fetchRows} from './collections.js';
import {type Decision, decide, type Sight, type Step, whyWithout} from './decide.js';
import {mapError} from './errors.js';
import {identityOfId} from './identity.js';
import {groupRows} from './sight.js';
import {idOf} from './writes.js';

/** The outcome of one write; a miss is told apart by reading. */
export const outcomeOf = async (access: Access, step: Step): Promise<Outcome> => {
  const {change, write} = step;
  try {
    const made = await make(access, change.table, write);
    if (made.result === 'made') return {result: 'applied', after: made.after};
    if (made.result === 'lost') return {result: 'unknown', error: made.error};
    if (made.result !== 'missed') return {result: 'skipped', why: made.result};
    const [row] = await fetchRows(access, change.table, [identityOfId(idOf(write))]);
    if (!row) return {result: 'skipped', why: 'gone'};
    if (row.version !== change.version) return {result: 'skipped', why: 'changed'};
    return {result: 'failed', error: 'The server does not find the document by the state that it is in.'};
  } catch (error) {
    access.onFault?.(mapError(error, `writing to ${change.table}`));
    if (access.session) throw error;
    return settle(access, change.table, write, error);
  }
};

const skip = (why: string): Outcome => ({result: 'skipped', why});

/** Required changes first: without them nothing else of the unit may be. */
const inOrder = (steps: Step[]): Step[] => [
  ...steps.filter(({change}) => change.required),
  ...steps.filter(({change}) => !change.required),
];

/** Is the row that has to stay still in its group? Asked again before each row that leaves it. */
const keeperStays = async (
  access: Access,
  unit: Unit,
  {keeper}: Decision,
  sight: Sight,
): Promise<boolean> => {
  if (!keeper) return true;
  const [row] = await fetchRows(access, keeper.table, [keeper.identity]);
  return row !== undefined && holds(unit.group!.where, row.values, sight.env);
};

type Done = {step: Step; outcome: Outcome & {result: 'applied'}};

const undo = async (access: Access, {step, outcome}: Done, why: string): Promise<Outcome> => {
  try {
    if (await takeBack(access, step.change.table, step.write, outcome.after)) return skip(why);
    return outcome;
  } catch (error) {
    return {
      result: 'unknown',
      error: mapError(error, `taking back a change of ${step.change.table}`).message,
    };
  }
};

/**
 * Two operators with opposite rules can each have seen the other's keeper a moment ago. Whoever removes the last
 * row sees an empty group afterwards, and puts that row back.
 */
const refill = async (
  access: Access,
  unit: Unit,
  sight: Sight,
  done: Done[],
  outcomes: (Outcome | undefined)[],
): Promise<void> => {
  const last = done.findLast(({step}) => step.leaves);
  if (!unit.group || unit.group.keep.by === 'none' || !last) return;
  if ((await groupRows(access, unit.group, sight.env)).length > 0) return;
  outcomes[last.step.index] = await undo(access, last, 'last-of-group');
};

/** Makes a unit's changes one by one. Nothing is thrown: what could not be found out is `unknown`. */
export const stepwise = async (
  access: Access,
  unit: Unit,
  sight: Sight,
  options: ApplyOptions,
): Promise<Outcome[]> => {
  const decision = decide(unit, sight, options.decideKeeper);
  const {outcomes, steps} = decision;
  const done: Done[] = [];
  let ended: string | null = null;
  for (const step of inOrder(steps)) {
    if (ended !== null) {
      outcomes[step.index] = skip(ended);
      continue;
    }
    const guarded = step.leaves && decision.keeper !== null;
    const outcome =
      guarded && !(await keeperStays(access, unit, decision, sight).catch(() => false))
        ? skip('keeper')
        : await outcomeOf(access, step);
    outcomes[step.index] = outcome;
    if (outcome.result === 'applied') done.push({step, outcome});
    else if (step.change.required) {
      ended = whyWithout(outcome);
      // What can't be told is left as it is: taking the rest back could undo half of what was done.
      if (outcome.result !== 'unknown')
        for (const item of done.splice(0).reverse())
          outcomes[item.step.index] = await undo(access, item, ended);
    }
  }
  await refill(access, unit, sight, done, outcomes).catch(() => {});
  return outcomes.map(outcome => outcome ?? {result: 'failed', error: 'The change was not decided.'});
};
