/** A plan's confirmation, its run, and what came of it. */
import {type Field, missing, missingText} from './asking.js';
import {markNone} from './marks.js';
import type {Message} from './messages.js';
import type {Mode, ModeOf} from './modes.js';
import {home} from './places-of-state.js';
import {readOnlyText} from './read-only.js';
import {type State, withList} from './state.js';
import {inTurn, type Step, say, step} from './step.js';
import {askCustomer, withRun} from './update-customer.js';
import {askHistory, lookAgain} from './update-data.js';
import {askGuards} from './update-guards.js';
import {released, whyDown, whyNot} from './update-plan.js';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

/** `x` on the plan: the dialog that asks. Nothing is typed into it before it has been seen. */
export const openConfirm = (state: State): Step => {
  const {mode} = state;
  if (mode.name !== 'plan') return step(state);
  const {origin, plan, at} = mode;
  if (state.readOnlyBy !== null) return step(say(state, readOnlyText(state.readOnlyBy), 'bad'));
  // An interrupted run is closed by running its plan, though nothing may be left to do.
  if (plan.planned === 0 && !origin.resumes) return step(say(state, 'This plan changes nothing.', 'bad'));
  if (!origin.undoes && !origin.resumes) {
    const refused = origin.unblocks ? whyDown(state, origin.check) : whyNot(state, origin.check);
    if (refused !== null) return step(say(state, refused, 'bad'));
  }
  const fields: Field[] = [
    ...plan.confirmations.map(({expected, why}) => ({kind: 'exact' as const, expected, why, text: ''})),
    ...(state.production ? [{kind: 'note' as const, text: ''}] : []),
  ];
  return step(
    {...state, toast: null, mode: {name: 'confirm', origin, plan, at, fields, focus: 'cancel', armed: false}},
    {effect: 'arm'},
  );
};

/** Enter in the dialog presses the focused button. */
export const press = (state: State, mode: ModeOf<'confirm'>): Step => {
  const {origin, plan, fields} = mode;
  if (mode.focus === 'cancel') {
    const left = {...state, mode: home(state)};
    return step(say(left, 'Cancelled: nothing was changed.'), ...released({plan, origin}));
  }
  // It may have ended while the dialog was open.
  if (state.readOnlyBy !== null) return step(say(state, readOnlyText(state.readOnlyBy), 'bad'));
  const first = missing(mode)[0];
  if (first !== undefined) return step(say(state, missingText(fields[first]!), 'bad'));
  const outcomes = {applied: 0, skipped: 0, failed: 0, unknown: 0};
  const note = fields.find(field => field.kind === 'note')?.text.trim();
  const running: Mode = {
    name: 'running',
    origin,
    plan,
    at: mode.at,
    progress: null,
    outcomes,
    since: state.now,
    stopping: false,
    leaveWith: null,
  };
  const confirmed = fields.filter(field => field.kind === 'exact').map(field => field.text);
  return step(
    {...state, toast: null, mode: running},
    {effect: 'run', plan, confirmed, ...(note === undefined ? {} : {note})},
  );
};

export const progress = (state: State, message: Of<'progress'>): Step => {
  const {mode} = state;
  if (mode.name !== 'running') return step(state);
  const result = message.progress.outcome?.result;
  const outcomes =
    result === undefined || result === 'planned'
      ? mode.outcomes
      : {...mode.outcomes, [result]: mode.outcomes[result] + 1};
  return step({...state, mode: {...mode, outcomes, progress: message.progress}});
};

/** After a run the marks that it took are used up, and the check is looked at again. */
const afterRun = (state: State, mode: ModeOf<'running'>, next: Mode): Step => {
  const code = mode.leaveWith;
  if (code !== null) return step(state, {effect: 'quit', code});
  const {unblocks} = mode.origin;
  if (unblocks) return afterUnblocking(state, mode, next);
  const list = state.lists[mode.origin.check];
  const shownNext: State = {...state, mode: next};
  const cleared = list
    ? withList(shownNext, {...markNone(list), keepers: {}, ghosts: [], cursor: {...list.cursor, id: null}})
    : shownNext;
  const looked = list ? lookAgain(cleared, list.check) : step(cleared);
  // What would keep it from coming back is told with the result.
  const guarded = mode.origin.undoes ? looked : inTurn(looked, askGuards);
  return inTurn(guarded, askHistory);
};

/** No marks were taken; the customer is looked at again as well. */
const afterUnblocking = (state: State, {origin}: ModeOf<'running'>, next: Mode): Step => {
  const looked = inTurn(step({...state, mode: next}), later => lookAgain(later, origin.check));
  return inTurn(inTurn(looked, askHistory), askCustomer);
};

export const ran = (state: State, message: Of<'ran'>): Step => {
  const {mode} = state;
  if (mode.name !== 'running') return step(state);
  const {run} = message.result;
  const known: State = run === null ? state : {...state, runs: {...state.runs, run, awaited: true}};
  const next = mode.origin.unblocks ? withRun(known, message.result) : known;
  return afterRun(next, mode, {
    name: 'results',
    origin: mode.origin,
    result: message.result,
    at: mode.at,
    top: 0,
  });
};

export const runFailed = (state: State, message: Of<'run-failed'>): Step => {
  const {mode} = state;
  if (mode.name !== 'running') return step(state);
  const title = 'The run could not be carried out';
  const failed = afterRun(state, mode, {name: 'failure', title, error: message.error});
  const rest = mode.origin.unblocks?.rest ?? [];
  return step(failed.state, ...failed.effects, ...rest.map(plan => ({effect: 'release' as const, plan})));
};
