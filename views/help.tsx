/** Every key, from the keymap. */
import type {ReactElement} from 'react';
import {type Binding, bindings, type Category} from '../source/state/bindings.js';
import {keyLabel} from '../source/state/keymap.js';
import {Lines} from './lines.js';
import {type Line, span} from './paint.js';
import type {ViewProps} from './view.js';

const categories: readonly Category[] = ['Move', 'Mark', 'Act', 'Look', 'Views', 'Program', 'Dialogs'];

/** Bindings with the same words are one line with all of their keys. */
const helpEntries = (category: Category): {keys: string; text: string}[] => {
  const entries = new Map<string, string[]>();
  for (const binding of bindings.filter((item: Binding) => item.category === category)) {
    const keys = entries.get(binding.text) ?? [];
    entries.set(binding.text, [...keys, ...binding.keys.map(keyLabel).filter(key => !keys.includes(key))]);
  }
  return [...entries].map(([text, keys]) => ({keys: keys.join(' '), text}));
};

const sectionLines = (category: Category): Line[] => [
  [span(category, 'bold')],
  ...helpEntries(category).map(({keys, text}): Line => [`  ${keys.padEnd(16)} `, text]),
  [],
];

/** Sections side by side where there is room for two columns. */
const helpLines = (width: number): Line[] => {
  const sections = categories.map(sectionLines);
  if (width < 140) return sections.flat();
  const half = Math.floor(width / 2);
  const left = sections.slice(0, 4).flat();
  const right = sections.slice(4).flat();
  return Array.from({length: Math.max(left.length, right.length)}, (_, index) => {
    const line = left[index] ?? [];
    const used = line.reduce((sum, item) => sum + (typeof item === 'string' ? item : item.text).length, 0);
    return [...line, ' '.repeat(Math.max(1, half - used)), ...(right[index] ?? [])];
  });
};

/** Lines from `top` on, the last line of the window saying that there are more. */
export const windowed = (lines: Line[], top: number, height: number): Line[] => {
  if (lines.length <= height) return lines;
  const from = Math.max(0, Math.min(top, lines.length - (height - 1)));
  const last = Math.min(lines.length, from + height - 1);
  return [
    ...lines.slice(from, last),
    [span(`lines ${from + 1} to ${last} of ${lines.length}; the arrows scroll`, 'dim')],
  ];
};

export const HelpView = ({state, width, height}: ViewProps): ReactElement | null => {
  if (state.mode.name !== 'help') return null;
  const lines = windowed(helpLines(width), state.mode.top, height);
  return <Lines lines={lines} width={width} color={state.color} />;
};
