/** What is chosen, and what is asked before nothing is written: the menu of actions, quitting, exporting, the palette. */
import type {ReactElement} from 'react';
import type {Binding} from '../source/state/bindings.js';
import {keyLabel, paletteBindings} from '../source/state/keymap.js';
import {targets} from '../source/state/marks.js';
import type {ModeOf} from '../source/state/modes.js';
import type {State} from '../source/state/state.js';
import {count, plural} from './format.js';
import {Lines} from './lines.js';
import {type Line, type Span, span, wrap} from './paint.js';
import {symbols} from './symbols.js';
import type {ViewProps} from './view.js';

/** A button; the focused one is told apart without colour, too. */
export const button = (label: string, focused: boolean): Span[] =>
  focused ? [span(`[> ${label} <]`, 'cursor')] : [`[  ${label}  ]`];

const choice = (selected: boolean): Span => (selected ? span(`${symbols.cursor} `, 'accent') : '  ');

/** What the menu acts on, in words. */
const chosenText = (state: State, mode: ModeOf<'menu'>): string => {
  const list = state.lists[mode.check]!;
  const chosen = targets(list, mode.withHidden, mode.only);
  if (chosen.all)
    return `all ${count(list.total ?? 0)} findings of ${mode.check}, except those to be chosen by hand`;
  const gone = chosen.gone > 0 ? `, ${chosen.gone} gone and left out` : '';
  if (chosen.byCursor) return `the row under the cursor${gone}`;
  return `${count(chosen.findings.length)} marked${gone}`;
};

const menuLines = (state: State, mode: ModeOf<'menu'>, width: number): Line[] => {
  const {hidden} = targets(state.lists[mode.check]!, mode.withHidden, mode.only);
  const hiddenLine = mode.withHidden
    ? `${plural(hidden, 'marked row')} that the filter hides ${hidden === 1 ? 'is' : 'are'} taken too (h: leave them out).`
    : `${plural(hidden, 'more marked row')} hidden by the filter ${hidden === 1 ? 'is' : 'are'} not taken (h: take them too).`;
  return [
    [span(`Plan an action on ${mode.check}`, 'bold')],
    [`For ${chosenText(state, mode)}. Choosing plans it; nothing is changed yet.`],
    hidden > 0 ? [span(hiddenLine, 'warn')] : [],
    ...(mode.choices.length > 0 && mode.choices.every(item => item.drastic)
      ? [[span('Nothing safe applies, so nothing is chosen for you; the arrows choose.', 'warn')]]
      : []),
    ...mode.choices.flatMap((item, index): Line[] => [
      [
        choice(index === mode.index),
        span(item.action, index === mode.index ? 'cursor' : item.drastic ? 'bad' : 'bold'),
        span(`  applies to ${count(item.applies)}${item.isDefault ? ', the safe default' : ''}`, 'dim'),
        item.drastic ? span('  drastic', 'bad') : '',
      ],
      ...wrap(item.text, width - 6).map((text): Line => [`    ${text}`]),
    ]),
  ];
};

export const MenuView = ({state, width}: ViewProps): ReactElement | null =>
  state.mode.name === 'menu' ? (
    <Lines lines={menuLines(state, state.mode, width)} width={width} color={state.color} />
  ) : null;

export const QuitView = ({state, width}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'quit') return null;
  const lines: Line[] = [
    [span('Quit?', 'bold')],
    [],
    [`  ${plural(mode.marked, 'row is', 'rows are')} marked. Marks are not kept after quitting.`],
    [],
    ['  ', ...button('Stay', mode.focus === 'cancel'), '   ', ...button('Quit', mode.focus === 'run')],
  ];
  return <Lines lines={lines} width={width} color={color} />;
};

export const ExportView = ({state, width}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'export') return null;
  const {filter} = state.lists[mode.check]!;
  const formats = ['CSV: a line for each row', 'JSON: the findings as check --json gives them'];
  const lines: Line[] = [
    [span(`Export ${mode.check}`, 'bold')],
    [`Writes a new file in the working directory${filter === '' ? '' : `, with what matches “${filter}”`}.`],
    [],
    ...formats.map(
      (text, index): Line => [
        choice(index === mode.index),
        span(text, index === mode.index ? 'cursor' : 'plain'),
      ],
    ),
  ];
  return <Lines lines={lines} width={width} color={color} />;
};

const keysText = ({keys}: Binding): string => keys.map(keyLabel).join(' ');

export const PaletteView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'palette') return null;
  const found = paletteBindings(state, mode.text);
  const room = Math.max(1, height - 2);
  const top = Math.max(0, Math.min(mode.index - Math.floor(room / 2), found.length - room));
  // No wider than what is in them: the texts have the rest.
  const names = Math.max(0, ...found.map(({id}) => id.length)) + 2;
  const keys = Math.max(0, ...found.map(keysText).map(({length}) => length)) + 2;
  const lines: Line[] = [
    [span(':', 'accent'), mode.text, span('_', 'accent')],
    ...found.slice(top, top + room).map((binding, index): Line => {
      const selected = top + index === mode.index;
      return [
        choice(selected),
        span(binding.id.padEnd(names), selected ? 'cursor' : 'bold'),
        span(keysText(binding).padEnd(keys), 'accent'),
        binding.text,
      ];
    }),
    ...(found.length === 0 ? [['No command has these words in it.']] : []),
  ];
  return <Lines lines={lines} width={width} color={color} />;
};
