/** A dialog that can write: its fields, its two buttons, and which of them has the focus. */

/** `exact`: only that text is right. `note`: any words, but not none; they go into the audit log. */
export type Field = {text: string} & ({kind: 'exact'; expected: string; why: string} | {kind: 'note'});

/** A field by its number, or a button. */
export type Focus = number | 'cancel' | 'run';

export type Asking = {
  fields: readonly Field[];
  focus: Focus;
  /** Once it has been on the screen for a moment without any input; until then all input is dropped. */
  armed: boolean;
  /** Enter in a field brought the focus to the button and may still be held down: no Enter is taken yet. */
  settling?: boolean;
  /** Why Enter in the field did not go on; until something is typed or the focus moves. */
  told?: string | null;
};

const LONGEST_TEXT = 500;

const isRight = (field: Field): boolean =>
  field.kind === 'exact' ? field.text === field.expected : field.text.trim() !== '';

/** The numbers of the fields that are not right yet; the button does nothing before there is none. */
export const missing = ({fields}: Pick<Asking, 'fields'>): number[] =>
  fields.flatMap((field, index) => (isRight(field) ? [] : [index]));

/** What is still to be done in a field, in a sentence. */
export const missingText = (field: Field): string =>
  field.kind === 'exact'
    ? `Type ${field.expected} exactly first.`
    : 'Say why first: it goes into the audit log.';

/** The same at the field itself. */
const wrongText = (field: Field): string =>
  field.kind === 'exact' ? `Type ${field.expected} exactly.` : 'Say why: it goes into the audit log.';

/**
 * Enter in a field: where it is right, on to the next one that is not, and from the last to the button, where Enter
 * is taken again once the key was let go (`settling`); else it stays and says what is wrong.
 */
export const afterEnter = <Mode extends Asking>(mode: Mode, index: number): Mode => {
  const open = missing(mode);
  if (open.includes(index)) return {...mode, told: wrongText(mode.fields[index]!)};
  const next = open.find(number => number > index) ?? open[0];
  return next === undefined
    ? {...mode, focus: 'run', settling: true, told: null}
    : {...mode, focus: next, told: null};
};

/** Where Tab goes: the fields, Cancel, the other button, and around. */
export const focusAfter = ({fields, focus}: Asking, by: number): Focus => {
  const stops: Focus[] = [...fields.keys(), 'cancel', 'run'];
  return stops[(stops.indexOf(focus) + by + stops.length) % stops.length]!;
};

const inField = <Mode extends Asking>(mode: Mode, index: number, text: (old: string) => string): Mode => ({
  ...mode,
  focus: index,
  told: null,
  fields: mode.fields.map((field, number) => (number === index ? {...field, text: text(field.text)} : field)),
});

/** The field that keys go to: the one with the focus; from a button, the first that is not right, or the last. */
const fieldAt = (mode: Asking): number | undefined => {
  if (mode.fields.length === 0) return undefined;
  return typeof mode.focus === 'number' ? mode.focus : (missing(mode)[0] ?? mode.fields.length - 1);
};

/** The dialog with text typed, and the focus where it went. */
export const typedInto = <Mode extends Asking>(mode: Mode, text: string): Mode => {
  const index = fieldAt(mode);
  // A space on a button is meant for the button.
  if (index === undefined || (typeof mode.focus !== 'number' && text === ' ')) return mode;
  return inField(mode, index, old => (old + text).slice(0, LONGEST_TEXT));
};

/** The dialog with a field's text changed (Backspace): the same field that typing goes to. */
export const changedIn = <Mode extends Asking>(mode: Mode, change: (old: string) => string): Mode => {
  const index = fieldAt(mode);
  return index === undefined ? mode : inField(mode, index, change);
};

/** Pasted text is taken for a note alone: a confirmation is typed. */
export const takesPaste = ({fields, focus}: Asking): boolean =>
  typeof focus === 'number' && fields[focus]?.kind === 'note';
