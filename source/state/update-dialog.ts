/** Dialogs, menus and fields: choosing, typing, pressing, going back. */

import {afterEnter, changedIn, focusAfter, takesPaste, typedInto} from './asking.js';
import {paletteBindings} from './keymap.js';
import {typed, withoutLast} from './keys.js';
import {tableHeight} from './layout.js';
import {type AskingMode, isAsking, type Mode} from './modes.js';
import {home} from './places-of-state.js';
import type {State} from './state.js';
import {type Step, say, step} from './step.js';
import {afterResults, openCustomer} from './update-customer.js';
import {moved} from './update-data.js';
import {pressGuards} from './update-guard-plan.js';
import {chooseAction, released} from './update-plan.js';
import {press} from './update-run.js';
import {pressUnlock} from './update-write.js';
import {moveTo} from './window.js';

const browsing: Mode = {name: 'browse'};

const withMode = (state: State, mode: Mode): Step => step({...state, mode});

/** The state with another filter: the cursor goes to the first row that it shows. */
const filtered = (state: State, check: string, filter: string): Step => {
  const list = {...state.lists[check]!, filter};
  return moved(state, moveTo({...list, top: 0}, 0, tableHeight(state)));
};

/** Text that goes into a field: what was typed or pasted, on one line. */
const insert = (state: State, text: string): Step => {
  const {mode} = state;
  switch (mode.name) {
    case 'filter':
      return filtered(state, mode.check, state.lists[mode.check]!.filter + text);
    case 'palette':
      return withMode(state, {...mode, text: mode.text + text, index: 0});
    case 'prompt':
      return withMode(state, {...mode, text: mode.text + text});
    case 'confirm':
    case 'unlock':
    case 'guard-confirm':
      return withMode(state, typedInto(mode, text));
    default:
      return step(state);
  }
};

const erase = (state: State): Step => {
  const {mode} = state;
  switch (mode.name) {
    case 'filter':
      return filtered(state, mode.check, withoutLast(state.lists[mode.check]!.filter));
    case 'palette':
      return withMode(state, {...mode, text: withoutLast(mode.text), index: 0});
    case 'prompt':
      return withMode(state, {...mode, text: withoutLast(mode.text)});
    case 'confirm':
    case 'unlock':
    case 'guard-confirm':
      return withMode(state, changedIn(mode, withoutLast));
    default:
      return step(state);
  }
};

const isField = ({mode}: State): boolean =>
  mode.name === 'filter' ||
  mode.name === 'palette' ||
  mode.name === 'prompt' ||
  (isAsking(mode) && mode.fields.length > 0);

/** What a key does to the field that the user is in; undefined if it is none of the field's. */
export const typeInto = (state: State, key: string): Step | undefined => {
  if (!isField(state)) return undefined;
  if (key === 'backspace') return erase(state);
  const text = typed(key);
  return text === undefined ? undefined : insert(state, text);
};

const LONGEST_PASTE = 200;

/** Pasted text goes into fields that look for something, and nowhere else: a confirmation is typed. */
export const paste = (state: State, text: string): Step => {
  const {mode} = state;
  if (isAsking(mode) && !takesPaste(mode))
    return step(say(state, 'Pasted text is not taken here: type it.', 'bad'));
  if (!isField(state)) return step(say(state, 'Pasted text was ignored.'));
  const line = text.replace(/[\r\n][\s\S]*$/, '').replace(/\p{Control}/gu, '');
  return insert(state, line.slice(0, LONGEST_PASTE));
};

/** Esc and `q`: one level back; a plan that is left is given up. */
export const back = (state: State): Step => {
  const {mode} = state;
  switch (mode.name) {
    case 'filter': {
      const {state: next, effects} = filtered(state, mode.check, '');
      return step({...next, mode: browsing}, ...effects);
    }
    case 'confirm':
      return withMode(state, {name: 'plan', origin: mode.origin, plan: mode.plan, at: mode.at, row: 0});
    case 'change':
      return withMode(state, mode.from);
    case 'plan':
      return step({...state, mode: home(state)}, ...released(mode));
    case 'guard-confirm':
      return withMode(state, mode.from);
    case 'planning':
    case 'guard-planning':
      return step({...state, mode: home(state)}, {effect: 'cancel-plan'});
    case 'customer':
      return withMode(state, browsing);
    case 'results':
      return afterResults(state, mode);
    case 'menu':
      return withMode(
        state,
        mode.only === null ? browsing : {name: 'details', check: mode.check, id: mode.only, row: 0, top: 0},
      );
    default:
      return withMode(state, home(state));
  }
};

const lengthOf = (state: State): number => {
  const {mode} = state;
  if (mode.name === 'menu') return mode.choices.length;
  return mode.name === 'palette' ? paletteBindings(state, mode.text).length : 2;
};

/** The next or previous choice, around the end. */
export const chooseAfter = (state: State, by: number): Step => {
  const {mode} = state;
  if (!('index' in mode)) return step(state);
  const length = Math.max(1, lengthOf(state));
  const from = mode.index < 0 && by < 0 ? 0 : mode.index;
  return withMode(state, {...mode, index: (from + by + length) % length});
};

/** Enter in a menu. `run` carries out a command of the palette as if its key had been pressed. */
export const choose = (state: State, run: (state: State, command: string) => Step): Step => {
  const {mode} = state;
  switch (mode.name) {
    case 'menu':
      return chooseAction(state, mode);
    case 'palette': {
      const binding = paletteBindings(state, mode.text)[mode.index];
      const next: State = {...state, mode: home(state)};
      return binding ? run(next, binding.id) : step(next);
    }
    case 'export': {
      const {check} = mode;
      const {filter} = state.lists[check]!;
      const format = mode.index === 0 ? 'csv' : 'json';
      return step({...state, mode: browsing}, {effect: 'export', check, format, filter});
    }
    default:
      return step(state);
  }
};

/** Enter in a field that looks for something. */
export const accept = (state: State): Step => {
  const {mode} = state;
  if (mode.name !== 'prompt') return withMode(state, browsing);
  const id = mode.text.trim() || mode.offered;
  return id === '' ? withMode(state, home(state)) : openCustomer(state, id);
};

/** Tab and arrows in a dialog. */
export const moveFocus = (state: State, by: 1 | -1): Step => {
  const {mode} = state;
  if (isAsking(mode)) return withMode(state, {...mode, focus: focusAfter(mode, by), told: null});
  if (mode.name !== 'quit') return step(state);
  return withMode(state, {...mode, focus: mode.focus === 'cancel' ? 'run' : 'cancel'});
};

/** Enter in a field of a dialog that can write: it goes on, and presses nothing. */
const enterField = (state: State, mode: AskingMode, index: number): Step => {
  const next = afterEnter(mode, index);
  const quiet: State = {...state, toast: null, mode: next};
  return next.settling ? step(quiet, {effect: 'arm', released: true}) : step(quiet);
};

/** Enter in a dialog: in a field it goes on; else it presses the focused button. */
export const pressButton = (state: State): Step => {
  const {mode} = state;
  if (isAsking(mode) && typeof mode.focus === 'number') return enterField(state, mode, mode.focus);
  if (mode.name === 'confirm') return press(state, mode);
  if (mode.name === 'unlock') return pressUnlock(state, mode);
  if (mode.name === 'guard-confirm') return pressGuards(state, mode);
  if (mode.name !== 'quit') return step(state);
  return mode.focus === 'run' ? step(state, {effect: 'quit', code: 0}) : withMode(state, home(state));
};
