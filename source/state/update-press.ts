/** What keys and pasted text do: the commands behind the table of keys, and when input is dropped. */
import {isSame} from './keepers.js';
import {always, commandFor, isMovingOn} from './keymap.js';
import {isTooSmall} from './layout.js';
import type {Message} from './messages.js';
import {isAsking, isRunning} from './modes.js';
import {currentList} from './places-of-state.js';
import {findingOf} from './shown.js';
import {checkInfo, type State, withList} from './state.js';
import {type Step, say, step} from './step.js';
import {browseCommands} from './update-browse.js';
import {copyIncident, follow, lookAtCustomer, planUnblock, promptCustomer} from './update-customer.js';
import {accept, back, choose, chooseAfter, moveFocus, paste, pressButton, typeInto} from './update-dialog.js';
import {
  openGuardConfirm,
  planAllGuards,
  planGuard,
  planGuardAway,
  toggleCleaning,
} from './update-guard-plan.js';
import {move, refit} from './update-move.js';
import {openMenu, planResume, planUndo, toggleHidden} from './update-plan.js';
import {openConfirm} from './update-run.js';
import {askToWrite, endWriting} from './update-write.js';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

/** Ctrl-C: quits at once, or stops a run after the chunk, or the step, that it is at. */
const interrupt = (state: State): Step => {
  const {mode} = state;
  if (!isRunning(mode)) return step(state, {effect: 'quit', code: 130});
  return mode.stopping ? step(state) : step({...state, mode: {...mode, stopping: true}}, {effect: 'stop'});
};

/** A signal to end: a run finishes its chunk first, so that what it did is written down. */
export const terminate = (state: State, code: number): Step => {
  const {mode} = state;
  if (!isRunning(mode)) return step(state, {effect: 'quit', code});
  return step({...state, mode: {...mode, stopping: true, leaveWith: code}}, {effect: 'stop'});
};

/** Ctrl-Z. A run that is stopped in the middle would hold its locks until the user comes back. */
const suspend = (state: State): Step =>
  isRunning(state.mode)
    ? step(say(state, 'Not while a run is under way: Ctrl-C stops it.', 'bad'))
    : step(state, {effect: 'suspend'});

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

/** Enter on the plan. Nothing is written by it. */
const openChange = (state: State): Step => {
  const {mode} = state;
  if (mode.name !== 'plan' || mode.plan.changes.length === 0) return step(state);
  return step({...state, mode: {name: 'change', from: mode, top: 0}});
};

const moves = new Set(['up', 'down', 'page-up', 'page-down', 'first', 'last']);

const run = (state: State, command: string): Step => {
  if (moves.has(command)) return move(state, command);
  switch (command) {
    case 'interrupt':
      return interrupt(state);
    case 'plan':
      return openMenu(state);
    case 'unblock':
      return planUnblock(state);
    case 'customer':
      return promptCustomer(state);
    case 'customer-refresh':
      return lookAtCustomer(state);
    case 'follow':
      return follow(state);
    case 'copy-incident':
      return copyIncident(state);
    case 'guard':
      return planGuard(state);
    case 'install-guards':
      return planAllGuards(state);
    case 'uninstall-guard':
      return planGuardAway(state);
    case 'with-cleaning':
      return toggleCleaning(state);
    case 'undo':
      return planUndo(state);
    case 'resume':
      return planResume(state);
    case 'write':
      return askToWrite(state);
    case 'readonly':
      return endWriting(state);
    case 'suspend':
      return suspend(state);
    case 'keeper':
      return chooseKeeper(state);
    case 'hidden':
      return toggleHidden(state);
    case 'confirm':
      return state.mode.name === 'guard-plan' ? openGuardConfirm(state) : openConfirm(state);
    case 'open-change':
      return openChange(state);
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
      return moveFocus(state, 1);
    case 'focus-previous':
      return moveFocus(state, -1);
    case 'press':
      return pressButton(state);
    default:
      return browseCommands[command]?.(state) ?? step(state);
  }
};

const isUnarmed = ({mode}: State): boolean => isAsking(mode) && !mode.armed;

/** The Enter that went on from a field, held down, presses nothing. */
const isHeld = ({mode}: State, key: string): boolean =>
  isAsking(mode) && mode.settling === true && key === 'enter';

/** What can't be seen can't be decided: on a screen that is too small a dialog is left, and `q` leaves the program. */
const pressUnseen = (state: State, key: string): Step => {
  const {mode} = state;
  if (key !== 'q' || isRunning(mode)) return step(state);
  return mode.name === 'browse' ? step(state, {effect: 'quit', code: 0}) : back(state);
};

/** What was said was about what came before. */
const quiet = (state: State): State => (state.toast === null ? state : {...state, toast: null});

/** A key press: in a field, a command of its place, or dropped. */
export const press = (state: State, {key, together}: Of<'key'>): Step => {
  if (always.has(key)) return run(state, commandFor(state, key)!);
  // A dialog that can write takes nothing before it has been seen: not the rest of what was typed or pasted.
  if (isUnarmed(state)) return step(state, {effect: 'hold'});
  if (isTooSmall(state)) return pressUnseen(state, key);
  if (isHeld(state, key)) return step(state, {effect: 'hold'});
  // Pasted text presses no button, though the terminal did not say that it was pasted.
  if (isAsking(state.mode) && key === 'enter' && together)
    return step(say(state, 'Enter was dropped: it came together with other keys. Press it alone.', 'bad'));
  const typed = typeInto(quiet(state), key);
  if (typed) return typed;
  const command = commandFor(state, key);
  if (command === undefined) return step(state);
  return run(pointed(isMovingOn(command) ? quiet(state) : state, command), command);
};

/** Pasted text never presses anything. */
export const pasted = (state: State, {text}: Of<'paste'>): Step => {
  if (isUnarmed(state)) return step(state, {effect: 'hold'});
  return isTooSmall(state) ? step(state) : paste(state, text);
};

/** A dialog that was out of sight takes nothing before it has been seen again. */
export const seenAgain = (state: State): Step =>
  isAsking(state.mode)
    ? step(
        {...state, mode: {...state.mode, armed: false}},
        {effect: 'arm', ...(state.mode.settling ? {released: true} : {})},
      )
    : step(state);

/** Another size: what became too small is not seen, and what was is seen again. */
export const resize = (state: State, {columns, rows}: Of<'resize'>): Step => {
  const next = refit({...state, size: {columns, rows}});
  return isTooSmall(state) && !isTooSmall(next) ? seenAgain(next) : step(next);
};

const pointing = new Set([...moves, 'mark', 'range', 'open', 'plan']);

/** The state once a command is about the row under the cursor: the cursor stays on that row from now on. */
const pointed = (state: State, command: string): State => {
  const list = currentList(state);
  return list && !list.moved && state.mode.name === 'browse' && pointing.has(command)
    ? withList(state, {...list, moved: true})
    : state;
};
