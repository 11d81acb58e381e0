import fc from 'fast-check';
import stringWidth from 'string-width';
import {describe, expect, test} from 'vitest';
import {placed} from '../source/placed.js';
import {cut, displayWidth, pad, sanitise} from '../source/sanitise.js';
import {hostileStrings} from './support/hostile.js';
import {openWatched} from './support/watched.js';

/** Written out again, so that a mistake in the pattern under test is not repeated here. */
const dangerous = (code: number): boolean =>
  code < 0x20 ||
  (code >= 0x7f && code <= 0x9f) ||
  code === 0xad ||
  code === 0x61c ||
  (code >= 0x200b && code <= 0x200f) ||
  (code >= 0x2028 && code <= 0x202e) ||
  (code >= 0x2060 && code <= 0x206f) ||
  (code >= 0xd800 && code <= 0xdfff) ||
  (code >= 0xfe00 && code <= 0xfe0f) ||
  code === 0xfeff ||
  (code >= 0xfff0 && code <= 0xfffb) ||
  (code >= 0xe0000 && code <= 0xe0fff);

const hasDanger = (text: string): boolean =>
  Array.from(text).some(character => dangerous(character.codePointAt(0)!));

test('no code point leaves anything that a terminal acts on or hides', () => {
  const left: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const safe = sanitise(`a${String.fromCodePoint(code)}b`);
    if (hasDanger(safe)) left.push(code.toString(16));
    else if (dangerous(code) && !/^a\\.+b$/.test(safe)) left.push(`hidden ${code.toString(16)}`);
  }
  expect(left).toEqual([]);
});

test('escapes tell what was there', () => {
  expect(sanitise('\x1b[2J\x07\x9b\x7f')).toBe(String.raw`\x1b[2J\x07\x9b\x7f`);
  expect(sanitise('one\ntwo\rthree\tfour')).toBe(String.raw`one\ntwo\rthree\tfour`);
  expect(sanitise('user\u202egnp.exe')).toBe(String.raw`user\u202egnp.exe`);
  expect(sanitise('a\u{e0041}\ud800b')).toBe(String.raw`a\u{e0041}\ud800b`);
  expect(sanitise('\u{1f468}\u200d\u{1f469}')).toBe('\u{1f468}\\u200d\u{1f469}');
});

test('text that a terminal only shows stays as it is', () => {
  for (const text of ['Zoë Żółć', '日本語', 'ไทย', '한국어', 'a\u00a0b', 'e\u0301', '😀', 'C:\\temp', '"{}'])
    expect(sanitise(text)).toBe(text);
});

test('a mark at the beginning is not drawn on what stands before the text', () => {
  expect(sanitise('\u0301abc')).toBe(String.raw`\u0301abc`);
  expect(sanitise('\u1161abc\u1161')).toBe('\\u1161abc\u1161');
});

const anyText = fc.string({unit: 'binary', maxLength: 60});

test('sanitised text is safe, and sanitising it again changes nothing', () => {
  fc.assert(
    fc.property(anyText, text => {
      const safe = sanitise(text);
      expect(hasDanger(safe)).toBe(false);
      expect(sanitise(safe)).toBe(safe);
    }),
  );
});

test('cut text is never wider than it may be, and is the text where that fits', () => {
  fc.assert(
    fc.property(anyText, fc.integer({min: -1, max: 30}), (raw, width) => {
      const text = sanitise(raw);
      const kept = cut(text, width);
      expect(displayWidth(kept)).toBeLessThanOrEqual(Math.max(0, width));
      // Never less than what is usually taken for the width.
      expect(stringWidth(kept)).toBeLessThanOrEqual(displayWidth(kept));
      if (width >= 1 && displayWidth(text) <= width && !/\p{Mark}{20}/u.test(text)) expect(kept).toBe(text);
    }),
  );
});

test('padded text is exactly as wide as it must be', () => {
  fc.assert(
    fc.property(
      anyText,
      fc.integer({min: 0, max: 30}),
      fc.constantFrom('left', 'right'),
      (raw, width, align) => {
        expect(displayWidth(pad(sanitise(raw), width, align as 'left' | 'right'))).toBe(width);
      },
    ),
  );
});

test('text is cut between graphemes', () => {
  expect(cut('session', 5)).toBe('sess…');
  expect(cut('session', 7)).toBe('session');
  expect(cut('日本語', 5)).toBe('日本…');
  expect(cut('日本語', 4)).toBe('日…');
  expect(cut('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301…');
  expect(cut('session', 0)).toBe('');
  expect(pad('日本', 5, 'right')).toBe(' 日本');
  expect(pad('waiting', 4)).toBe('wai…');
});

test('a heap of marks takes up no more than a character', () => {
  expect(cut(`a${'\u0301'.repeat(10_000)}b`, 10)).toBe('\ufffdb');
});

describe('in a terminal', () => {
  const every = Array.from({length: 0x110000}, (_, code) => String.fromCodePoint(code));

  test('no code point and no lone surrogate changes anything but the text', async () => {
    const {terminal, write, acts, state} = openWatched(200, 50, 0);
    const before = state();
    for (let from = 0; from < every.length; from += 65_536)
      await write(`${sanitise(every.slice(from, from + 65_536).join('a'))}\n`);
    expect(acts).toEqual([]);
    expect(state()).toBe(before);
    // The pen as well: what comes next has no colour and no style.
    await write('\x1b[H\x1b[2Jend');
    const cell = terminal.buffer.active.getLine(0)!.getCell(0)!;
    expect([cell.getChars(), cell.isAttributeDefault()]).toEqual(['e', true]);
  });

  test('columns line up after every character that has a shape', async () => {
    const [perLine, width, rows] = [4, 24, 1000];
    const {terminal, write} = openWatched(perLine * (width + 1) + 2, rows + 1, 0);
    // Each alike within these: ideographs, syllables, private use; and what is not assigned yet.
    const alike = /[\p{Unassigned}\p{Private_Use}]/u;
    const some = every.filter(
      (text, code) =>
        !alike.test(text) && (!/[\p{Unified_Ideograph}\uac00-\ud7a3]/u.test(text) || code % 97 === 0),
    );
    const crooked: string[] = [];
    for (let from = 0; from < some.length; from += rows * perLine) {
      const lines: string[][] = [];
      for (let at = from; at < Math.min(from + rows * perLine, some.length); at += perLine)
        lines.push(some.slice(at, at + perLine));
      // Last in its cell, so that nothing but the border comes after it.
      const text = lines.map(line => placed(line.map(one => `${pad(sanitise(`a${one}`), width)}|`).join('')));
      await write(`\x1b[H\x1b[2J${text.join('\n')}`);
      for (const [index, line] of lines.entries()) {
        const drawn = terminal.buffer.active.getLine(index)!;
        for (const [place, one] of line.entries())
          if (drawn.getCell(place * (width + 1) + width)!.getChars() !== '|')
            crooked.push(one.codePointAt(0)!.toString(16));
      }
    }
    expect(crooked).toEqual([]);
  });

  test('hostile strings are shown whole: nothing is drawn over', async () => {
    const {terminal, write, acts} = openWatched(400, 501);
    const shown = (line: string): string => line.replaceAll(/[\s\p{Mark}]/gu, '');
    const all = hostileStrings(1500, 4, {nul: true}).map(text => cut(sanitise(text), 390));
    for (let from = 0; from < all.length; from += 500) {
      const lines = all.slice(from, from + 500);
      await write(`\x1b[H\x1b[2J${lines.map(line => `${placed(line)}|`).join('\n')}`);
      for (const [index, line] of lines.entries())
        expect(shown(terminal.buffer.active.getLine(index)!.translateToString())).toBe(shown(`${line}|`));
    }
    expect(acts).toEqual([]);
  });

  test('the emulator would notice: raw text does change it', async () => {
    for (const attack of ['\x1b]52;c;YQ==\x07', '\x1b]0;t\x07', '\x1b[6n', '\x07', '\x1bP$qm\x1b\\']) {
      const {write, acts} = openWatched(80, 4);
      await write(attack);
      expect(acts).not.toEqual([]);
    }
    for (const attack of ['\x1b[?1049h', '\x1b[?1003h', '\x1b[?7l', '\x1b[4h']) {
      const {write, state} = openWatched(80, 4);
      const before = state();
      await write(attack);
      expect(state()).not.toBe(before);
    }
  });
});
