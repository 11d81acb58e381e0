/** The table of keys is whole: every key of the contract, each told once, each with something behind it. */
import {expect, test} from 'vitest';
import {bindings} from '../../source/state/bindings.js';
import {commandFor, footerBindings, paletteBindings} from '../../source/state/keymap.js';
import {keysOf, typed} from '../../source/state/keys.js';
import {views} from '../../source/state/places.js';
import type {State} from '../../source/state/state.js';
import {openLooked} from '../support/screen.js';

const contract: [string, string][] = [
  ['space', 'mark'],
  ['v', 'range'],
  ['a', 'mark-all'],
  ['A', 'mark-none'],
  ['i', 'invert'],
  ['k', 'up'],
  ['j', 'down'],
  ['up', 'up'],
  ['down', 'down'],
  ['pgup', 'page-up'],
  ['pgdn', 'page-down'],
  ['g', 'first'],
  ['G', 'last'],
  ['enter', 'open'],
  ['x', 'plan'],
  ['/', 'filter'],
  ['esc', 'clear'],
  ['s', 'sort'],
  ['S', 'reverse'],
  ['p', 'pause'],
  ['R', 'refresh'],
  ['+', 'slower'],
  ['-', 'faster'],
  ['tab', 'next-view'],
  ['[', 'previous-check'],
  [']', 'next-check'],
  ['c', 'customer'],
  [':', 'palette'],
  ['y', 'copy'],
  ['e', 'export'],
  ['?', 'help'],
  ['q', 'leave'],
  ['ctrl+c', 'interrupt'],
  ...views.map((view): [string, string] => [view.key, `view-${view.id}`]),
];

const inDuplicates = async (): Promise<State> => {
  const screen = await openLooked();
  screen.press('2');
  return {...screen.state(), canCustomer: true};
};

test('every key of the contract has its command', async () => {
  const state = await inDuplicates();
  for (const [key, command] of contract) expect([key, commandFor(state, key)]).toEqual([key, command]);
  expect(commandFor({...state, view: 'runs'}, 'u')).toBe('undo');
});

test('no key stands for two commands at one place', () => {
  for (const view of views) {
    const taken = new Map<string, string>();
    for (const binding of bindings.filter(item => !item.views || item.views.includes(view.id))) {
      for (const place of binding.modes.flatMap(mode => binding.keys.map(key => `${mode} ${key}`))) {
        expect([place, taken.get(place) ?? binding.id]).toEqual([place, binding.id]);
        taken.set(place, binding.id);
      }
    }
  }
});

test('every binding is told in a sentence, and letters that dialogs need stay free', () => {
  for (const binding of bindings) {
    expect(binding.text).toMatch(/^[\wN].{2,}$/);
    expect(binding.keys.length).toBeGreaterThan(0);
  }
  const inFields = bindings.filter(({modes}) =>
    modes.some(mode => mode === 'filter' || mode === 'prompt' || mode === 'palette'),
  );
  for (const key of inFields.flatMap(({keys}) => keys)) expect(typed(key)).toBeUndefined();
});

test('every command of the palette does something or is refused with a reason', async () => {
  const state = await inDuplicates();
  for (const {id} of paletteBindings(state, '')) {
    const screen = await openLooked();
    screen.press('2', 'space', '/', '1', 'enter');
    const before = screen.state();
    const effects = screen.effects.length;
    screen.press(':', ...id, 'enter');
    expect([id, screen.state() !== before || screen.effects.length > effects]).toEqual([id, true]);
  }
});

test('the footer names keys that work', async () => {
  const state = await inDuplicates();
  for (const binding of footerBindings(state)) expect(commandFor(state, binding.keys[0]!)).toBe(binding.id);
  expect(footerBindings({...state, canCustomer: false}).map(({id}) => id)).not.toContain('customer');
});

test('input is split into keys by grapheme', () => {
  expect(keysOf('dy\r', {})).toEqual(['d', 'y', 'enter']);
  expect(keysOf('é👩🏽 \t', {})).toEqual(['é', '👩🏽', 'space', 'tab']);
  expect(keysOf('', {upArrow: true})).toEqual(['up']);
  expect(keysOf('c', {ctrl: true})).toEqual(['ctrl+c']);
  expect(keysOf('\x03\x9b', {})).toEqual(['ctrl+c']);
});
