/** A plan's confirmation, its run, and what came of it. */
import {type Field, missing, missingText} from './asking.js';
import {markNone} from './marks.js';
import type {Message} from './messages.js';
import type {Mode, ModeOf} from './modes.js';
import {readOnlyText} from './read-only.js';
import {type State, withList} from './state.js';
import {inTurn, type Step, say, step} from './step.js';
import {askHistory, lookAgain} from './update-data.js';
import {whyNot} from './update-plan.js';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

const browsing: Mode = {name: 'browse'};

/** `x` on the plan: the dialog that asks. Nothing is typed into it before it has been seen. */
export const openConfirm = (state: State): Step => {
  const {mode} = state;
  if (mode.name !== 'plan') return step(state);
  const {origin, plan, at} = mode;
  if (state.readOnlyBy !== null) return step(say(state, readOnlyText(state.readOnlyBy), 'bad'));
  // An interrupted run is closed by running its plan, though nothing may be left to do.
  if (plan.planned === 0 && !origin.resumes) return step(say(state, 'This plan changes nothing.', 'bad'));
  if (!origin.undoes && !origin.resumes) {
    const refused = whyNot(state, origin.check);
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
    return step(say({...state, mode: browsing}, 'Cancelled: nothing was changed.'), {
      effect: 'release',
      plan,
    });
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
  const list = state.lists[mode.origin.check];
  const shownNext: State = {...state, mode: next};
  const cleared = list
    ? withList(shownNext, {...markNone(list), keepers: {}, ghosts: [], cursor: {...list.cursor, id: null}})
    : shownNext;
  const looked = list ? lookAgain(cleared, list.check) : step(cleared);
  return inTurn(looked, askHistory);
};

export const ran = (state: State, message: Of<'ran'>): Step => {
  const {mode} = state;
  if (mode.name !== 'running') return step(state);
  const {run} = message.result;
  const next: State = run === null ? state : {...state, runs: {...state.runs, run, awaited: true}};
  return afterRun(next, mode, {name: 'results', origin: mode.origin, result: message.result, top: 0});
};

export const runFailed = (state: State, message: Of<'run-failed'>): Step => {
  const {mode} = state;
  if (mode.name !== 'running') return step(state);
  return afterRun(state, mode, {
    name: 'failure',
    title: 'The run could not be carried out',
    error: message.error,
  });
};
