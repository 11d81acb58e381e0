/** Lifting production's read-only for a while, and its end. */
import {missing, missingText} from './asking.js';
import type {Message} from './messages.js';
import type {ModeOf} from './modes.js';
import {home} from './places-of-state.js';
import {readOnlyError} from './read-only.js';
import type {State} from './state.js';
import {type Step, say, step} from './step.js';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

const minutes = (ms: number): string => {
  const count = Math.max(1, Math.round(ms / 60_000));
  return `${count} ${count === 1 ? 'minute' : 'minutes'}`;
};

/** `:write`: asks for the environment's name; where nothing lifts the read-only, says why. */
export const askToWrite = (state: State): Step => {
  const {readOnlyBy, environment, writableUntil} = state;
  if (readOnlyBy === null)
    return step(
      say(
        state,
        writableUntil === null
          ? 'Nothing here is read-only.'
          : `It is lifted for ${minutes(writableUntil - state.now)} more; :readonly ends it.`,
      ),
    );
  if (readOnlyBy !== 'production') {
    const error = readOnlyError(readOnlyBy);
    return step({...state, mode: {name: 'failure', title: 'Writing can’t be allowed here', error}});
  }
  const why = 'Plans can then be run, each after its own confirmation.';
  const field = {kind: 'exact' as const, expected: environment, why, text: ''};
  return step(
    {...state, toast: null, mode: {name: 'unlock', fields: [field], focus: 'cancel', armed: false}},
    {effect: 'arm'},
  );
};

/** Enter on a button of that dialog. */
export const pressUnlock = (state: State, mode: ModeOf<'unlock'>): Step => {
  const left: State = {...state, mode: home(state)};
  if (mode.focus === 'cancel') return step(say(left, 'Cancelled: it stays read-only.'));
  const [field] = mode.fields;
  if (missing(mode).length > 0) return step(say(state, missingText(field!), 'bad'));
  return step(left, {effect: 'unlock', typed: field!.text});
};

export const unlocked = (state: State, {until}: Of<'unlocked'>): Step =>
  step(
    say(
      {...state, readOnlyBy: null, writableUntil: until, endedEarly: false},
      `Plans can be run for ${minutes(until - state.now)}; :readonly ends it.`,
      'good',
    ),
  );

export const unlockFailed = (state: State, {error}: Of<'unlock-failed'>): Step =>
  step({...state, mode: {name: 'failure', title: 'It stays read-only', error}});

/** `:readonly`: ends the lift early. */
export const endWriting = (state: State): Step => {
  if (state.readOnlyBy !== null) return step(say(state, 'It is read-only already.'));
  if (state.writableUntil === null)
    return step(say(state, 'Nothing was lifted here; --read-only or readOnly: true keeps it from writing.'));
  const ended: State = {...state, readOnlyBy: 'production', writableUntil: null, endedEarly: true};
  return step(say(ended, 'Read-only again. :write lifts it.'), {effect: 'lock'});
};

/** What the engine says of writing now. A lift that the user ended stays ended until the next one. */
export const writing = (state: State, {readOnlyBy, until}: Of<'writing'>): Step => {
  if (state.endedEarly && readOnlyBy === null) return step(state);
  const next: State = {...state, readOnlyBy, writableUntil: until, endedEarly: false};
  const isOver = state.writableUntil !== null && readOnlyBy !== null;
  return step(isOver ? say(next, 'The time is over: read-only again. :write lifts it.', 'bad') : next);
};
