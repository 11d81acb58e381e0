/** The state machine: `update(state, message)` says what the state is next, and what is to be done. Pure. */

import {isSame} from './keepers.js';
import {always, commandFor} from './keymap.js';
import {isTooSmall} from './layout.js';
import type {Message} from './messages.js';
import {currentList} from './places-of-state.js';
import {findingOf} from './shown.js';
import {checkInfo, type State, withList} from './state.js';
import {inTurn, type Step, say, step} from './step.js';
import {browseCommands} from './update-browse.js';
import {history, historyFailed, loaded, loadFailed, tick, verified} from './update-data.js';
import {
  accept,
  back,
  choose,
  chooseAfter,
  otherButton,
  paste,
  pressButton,
  typeInto,
} from './update-dialog.js';
import {move, refit} from './update-move.js';
import {
  openMenu,
  planFailed,
  planned,
  planProgress,
  planUndo,
  readAgain,
  toggleHidden,
} from './update-plan.js';
import {openConfirm, progress, ran, runFailed} from './update-run.js';

/** Ctrl-C: quits at once, or stops a run after the chunk that it is at. */
const interrupt = (state: State): Step => {
  const {mode} = state;
  if (mode.name !== 'running') return step(state, {effect: 'quit', code: 130});
  return mode.stopping ? step(state) : step({...state, mode: {...mode, stopping: true}}, {effect: 'stop'});
};

/** A signal to end: a run finishes its chunk first, so that what it did is written down. */
const terminate = (state: State, code: number): Step => {
  const {mode} = state;
  if (mode.name !== 'running') return step(state, {effect: 'quit', code});
  return step({...state, mode: {...mode, stopping: true, leaveWith: code}}, {effect: 'stop'});
};

/** The row of the details becomes the one that its group keeps; chosen again, the rule decides again. */
const chooseKeeper = (state: State): Step => {
  const {mode} = state;
  if (mode.name !== 'details') return step(state);
  const list = state.lists[mode.check]!;
  const finding = findingOf(list, mode.id);
  const row = finding?.rows[mode.row];
  if (!finding || !row || checkInfo(state, mode.check).kind !== 'duplicates') return step(state);
  if (finding.rows.length < 2)
    return step(say(state, 'The only row of its group: there is nothing to choose.'));
  const {[mode.id]: chosen, ...others} = list.keepers;
  const keepers = chosen && isSame(chosen, row.identity) ? others : {...others, [mode.id]: row.identity};
  return step(withList(state, {...list, keepers}));
};

const moves = new Set(['up', 'down', 'page-up', 'page-down', 'first', 'last']);

const run = (state: State, command: string): Step => {
  if (moves.has(command)) return move(state, command);
  switch (command) {
    case 'interrupt':
      return interrupt(state);
    case 'plan':
      return openMenu(state);
    case 'undo':
      return planUndo(state);
    case 'keeper':
      return chooseKeeper(state);
    case 'hidden':
      return toggleHidden(state);
    case 'confirm':
      return openConfirm(state);
    case 'back':
      return back(state);
    case 'choose':
      return choose(state, run);
    case 'choose-up':
      return chooseAfter(state, -1);
    case 'choose-down':
      return chooseAfter(state, 1);
    case 'accept':
      return accept(state);
    case 'focus-next':
    case 'focus-previous':
      return otherButton(state);
    case 'press':
      return pressButton(state);
    default:
      return browseCommands[command]?.(state) ?? step(state);
  }
};

const press = (state: State, key: string): Step => {
  if (always.has(key)) return run(state, commandFor(state, key)!);
  // A dialog that can write takes nothing before it has been seen: not the rest of what was typed or pasted.
  if (state.mode.name === 'confirm' && !state.mode.armed) return step(state);
  // What can't be seen can't be decided: only leaving works on a screen that is too small.
  if (isTooSmall(state) && key !== 'q') return step(state);
  const typed = typeInto(state, key);
  if (typed) return typed;
  const command = commandFor(state, key);
  return command === undefined ? step(state) : run(pointed(state, command), command);
};

const pointing = new Set([...moves, 'mark', 'range', 'open', 'plan']);

/** The state once a command is about the row under the cursor: the cursor stays on that row from now on. */
const pointed = (state: State, command: string): State => {
  const list = currentList(state);
  return list && !list.moved && state.mode.name === 'browse' && pointing.has(command)
    ? withList(state, {...list, moved: true})
    : state;
};

const rangeEnded = (before: State, after: State): boolean =>
  before.lists !== after.lists &&
  Object.values(before.lists).some(list => list.anchor !== null && after.lists[list.check]?.anchor === null);

/** What was said about one place is not left standing at the next. */
const hushed = (before: State, after: State): State =>
  after.toast !== null &&
  after.toast === before.toast &&
  (before.view !== after.view || before.mode.name !== after.mode.name || rangeEnded(before, after))
    ? {...after, toast: null}
    : after;

/** The next state and its effects. */
export const update = (state: State, message: Message): Step => {
  const next = answer(state, message);
  return {...next, state: hushed(state, next.state)};
};

const answer = (state: State, message: Message): Step => {
  switch (message.type) {
    case 'key':
      return press(state, message.key);
    case 'paste':
      return state.mode.name === 'confirm' && !state.mode.armed ? step(state) : paste(state, message.text);
    case 'tick':
      return tick(state, message.now);
    case 'resize':
      return step(refit({...state, size: {columns: message.columns, rows: message.rows}}));
    case 'status':
      return step({...state, stores: message.stores});
    case 'loaded':
      return inTurn(loaded(state, message), next => readAgain(next, message.check));
    case 'load-failed':
      return inTurn(loadFailed(state, message), next => readAgain(next, message.check));
    case 'verified':
      return verified(state, message);
    case 'planned':
      return planned(state, message);
    case 'plan-failed':
      return planFailed(state, message);
    case 'plan-progress':
      return planProgress(state, message);
    case 'progress':
      return progress(state, message);
    case 'ran':
      return ran(state, message);
    case 'run-failed':
      return runFailed(state, message);
    case 'history':
      return history(state, message);
    case 'history-failed':
      return historyFailed(state, message);
    case 'armed':
      return step(state.mode.name === 'confirm' ? {...state, mode: {...state.mode, armed: true}} : state);
    case 'customer':
      return step(atCustomer(state, message.id, {report: message.report}));
    case 'customer-failed':
      return step(atCustomer(state, message.id, {error: message.error}));
    case 'said':
      return step(say(state, message.text, message.tone));
    case 'terminate':
      return terminate(state, message.code);
  }
};

const atCustomer = (state: State, id: string, answer: object): State =>
  state.mode.name === 'customer' && state.mode.id === id
    ? {...state, mode: {...state.mode, ...answer}}
    : state;
