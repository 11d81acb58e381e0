/** Questions to the table of keys: what a key does here, what the footer and the palette offer. */
import {type Binding, bindings} from './bindings.js';
import {home} from './places-of-state.js';
import type {State} from './state.js';

const offered = (binding: Binding, state: State): boolean =>
  binding.modes.includes(state.mode.name) &&
  (binding.views === undefined || binding.views.includes(state.view)) &&
  (binding.when === undefined || binding.when(state));

/** Keys that do the same everywhere, in fields and dialogs too. */
export const always: ReadonlyMap<string, string> = new Map([
  ['ctrl+c', 'interrupt'],
  ['ctrl+z', 'suspend'],
]);

/** The command that a key stands for where the user is; undefined if none. */
export const commandFor = (state: State, key: string): string | undefined =>
  always.get(key) ?? bindings.find(binding => binding.keys.includes(key) && offered(binding, state))?.id;

/** Commands after which what was said before is of no interest: they go on to something else. */
const movesOn = new Set(
  bindings.filter(({category}) => category === 'Move' || category === 'Mark').map(({id}) => id),
);
movesOn.add('focus-next').add('focus-previous');

/** True for a command that moves or marks. */
export const isMovingOn = (command: string): boolean => movesOn.has(command);

/** The bindings that the footer names, the most useful first. */
export const footerBindings = (state: State): Binding[] =>
  bindings
    .filter(
      binding => binding.footer !== undefined && offered(binding, state) && (binding.useful?.(state) ?? true),
    )
    .sort((a, b) => a.footer!.place - b.footer!.place);

const notInPalette = new Set(['palette', 'clear', 'suspend']);

/**
 * The commands of the palette that the typed words are found in: those of the place that it was opened at, but the ones for moving. The
 * command of exactly that name comes first: `:write` and Enter is that and nothing else.
 */
export const paletteBindings = (state: State, words: string): Binding[] => {
  const there: State = {...state, mode: home(state)};
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = bindings.filter(
    binding =>
      binding.category !== 'Move' &&
      !notInPalette.has(binding.id) &&
      offered(binding, there) &&
      wanted.every(word => `${binding.id} ${binding.text} ${binding.category}`.toLowerCase().includes(word)),
  );
  const isNamed = (binding: Binding): boolean => wanted.length === 1 && binding.id === wanted[0];
  return [...found.filter(isNamed), ...found.filter(binding => !isNamed(binding))];
};

const labels: Record<string, string> = {
  space: 'Space',
  enter: 'Enter',
  esc: 'Esc',
  tab: 'Tab',
  'shift+tab': 'Shift-Tab',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  pgup: 'PgUp',
  pgdn: 'PgDn',
  home: 'Home',
  end: 'End',
};

/** A key as people read it: `Ctrl-C`, `PgUp`, `x`. */
export const keyLabel = (key: string): string =>
  labels[key] ?? key.replace(/^ctrl\+(.)$/, (_, letter: string) => `Ctrl-${letter.toUpperCase()}`);
