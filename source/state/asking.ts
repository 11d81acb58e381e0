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

/** Where Tab goes: the fields, Cancel, the other button, and around. */
export const focusAfter = ({fields, focus}: Asking, by: number): Focus => {
  const stops: Focus[] = [...fields.keys(), 'cancel', 'run'];
  return stops[(stops.indexOf(focus) + by + stops.length) % stops.length]!;
};

const inField = <Mode extends Asking>(mode: Mode, index: number, text: (old: string) => string): Mode => ({
  ...mode,
  focus: index,
  fields: mode.fields.map((field, number) => (number === index ? {...field, text: text(field.text)} : field)),
});

/** The dialog with text typed: into the field with the focus; from a button, into the first that is not right. */
export const typedInto = <Mode extends Asking>(mode: Mode, text: string): Mode => {
  const onButton = typeof mode.focus !== 'number';
  const index = onButton ? missing(mode)[0] : (mode.focus as number);
  // A space on a button is meant for the button.
  if (index === undefined || (onButton && text === ' ')) return mode;
  return inField(mode, index, old => (old + text).slice(0, LONGEST_TEXT));
};

export const changedIn = <Mode extends Asking>(mode: Mode, change: (old: string) => string): Mode =>
  typeof mode.focus === 'number' ? inField(mode, mode.focus, change) : mode;

/** Pasted text is taken for a note alone: a confirmation is typed. */
export const takesPaste = ({fields, focus}: Asking): boolean =>
  typeof focus === 'number' && fields[focus]?.kind === 'note';
