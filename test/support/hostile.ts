/** Strings that attack a terminal, a spreadsheet, a query or a reader, from a seed: the same seed, the same strings. */

/** mulberry32: a number from 0 to 1 at each call. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const range = (from: number, to: number): string[] =>
  Array.from({length: to - from + 1}, (_, index) => String.fromCodePoint(from + index));

/** What a terminal acts on, if it is written to one as it is. */
export const attacks: readonly string[] = [
  '\x1b]52;c;c2Vzc3R1aQ==\x07', // the clipboard is written
  '\x1b]52;c;?\x1b\\', // and read
  '\x9d52;c;c2Vzc3R1aQ==\x9c',
  '\x1b]0;a title\x07',
  '\x1b]2;a title\x1b\\',
  '\x1b]8;;http://example.test\x1b\\here\x1b]8;;\x1b\\',
  '\x1b]4;1;#ff0000\x07',
  '\x1b]10;#ff0000\x07',
  '\x1b]11;?\x07',
  '\x1b]9;a notice\x07',
  '\x1b]777;notify;a;b\x07',
  '\x1b]1337;File=inline=1:AAAA\x07',
  '\x1b]133;A\x07',
  '\x1bP$qm\x1b\\', // DCS: asks, and the terminal answers
  '\x1bP+q544e\x1b\\',
  '\x1bPq#0;2;0;0;0~-\x1b\\', // sixel
  '\x90q#0~\x9c',
  '\x1b_Ga=T,f=24;AAAA\x1b\\', // kitty's images
  '\x1b^privacy\x1b\\',
  '\x1bXstring\x1b\\',
  '\x1b[?1049h',
  '\x1b[?47h',
  '\x1b[?1000h',
  '\x1b[?1003h\x1b[?1006h',
  '\x1b[?2004h',
  '\x1b[?25l',
  '\x1b[?7l',
  '\x1b[?5h',
  '\x1b[?2026h',
  '\x1b[4h',
  '\x1b[20h',
  '\x1b[2J',
  '\x1b[3J',
  '\x1b[H',
  '\x1b[99A',
  '\x1b[1000C',
  '\x1b[K',
  '\x1b[2L',
  '\x1b[5M',
  '\x1b[1;5r',
  '\x1b[6n',
  '\x1b[c',
  '\x1b[>c',
  '\x1b[5n',
  '\x1b[21t',
  '\x1b[8;1;1t',
  '\x1b[31m',
  '\x1b[8m',
  '\x1b[7;5m',
  '\x9b31m',
  '\x9b6n',
  '\x1b(0',
  '\x0e',
  '\x0f',
  '\x1bc',
  '\x1b#8',
  '\x1b7\x1b[H\x1b8',
  '\x1bM',
  '\x1bD',
  '\x1b=',
  '\x1b[!p',
  '\x05',
  '\x07',
  '\b\b\b\b',
  'good\rbad',
  'one\ntwo',
  'one\r\ntwo',
  'tab\ttab',
  '\v\f',
  '\x7f\x7f',
  '\x85next',
  'user\u202egnp.exe',
  '\u2066a\u2069\u2067b',
  'a\u200bb\u200cc\u200dd\u2060e\ufefff',
  '\u2028line\u2029paragraph',
  'tag\u{e0041}\u{e0042}\u{e007f}',
  'private\ue000\u{f0000}\u{10fffd}',
  'non\uffff\ufdd0\u{1fffe}characters',
  'vs\ufe0f\u{e0100}',
  'hangul\u3164filler\u115f\u1160',
  '\u0301leading mark',
  `zalgo${'\u0301\u0302\u0316'.repeat(40)}`,
  'e\u0301 and \u00e9',
  '日本語のセッション',
  '한국어 \u1112\u1161\u11ab',
  'กำลังนำเข้า ที่',
  'क्षत्रिय ज्ञानी',
  'தமிழ் வணக்கம்',
  'العربية שלום',
  '\u0d4e before \u{11d46}',
  '👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇵🇱🇯🇵🇫',
  '1\ufe0f\u20e3 ❤️ ☎ ⚠',
  'ｆｕｌｌ　ｗｉｄｔｈ ﾊﾝｶｸ',
  '𓀀𝔘𝕟𝕚 𝟙 ﷽ ⸻ 𒐫',
  '=HYPERLINK("http://example.test")',
  '+1',
  '-1+1',
  '@SUM(A1)',
  '\t=1',
  '=cmd|" /C calc"!A0',
  'a"; drop table x; --',
  "'; drop table sessions; --",
  '$$; select 1; $$',
  '{"$ne":1}',
  '{"$gt":""}',
  '$where',
  '__proto__',
  'constructor',
  'prototype',
  '<script>alert(1)</script>',
  '%s%n%x{}',
  '$(reboot) `reboot` ; reboot',
  '../../etc/passwd',
  '│ ─ ┌ > ● …',
];

/** Single characters that are worth trying everywhere. `\0` is left out where a store can't hold it. */
const singles: readonly string[] = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  '\xad',
  '\u061c',
  '\u180e',
  ...range(0x200b, 0x200f),
  ...range(0x2028, 0x202e),
  ...range(0x2060, 0x206f),
  ...range(0xfe00, 0xfe0f),
  '\ufeff',
  ...range(0xfff9, 0xfffd),
  ...range(0xe0001, 0xe0001),
  ...range(0xe0020, 0xe007f),
];

const plain = ['session', 'ann@gym.example', '8f14e45f', 'waiting', ' ', '日本', 'é', '😀', '0', '-', '.'];

/**
 * `count` different strings: every attack and single character by itself and inside other text, then mixtures.
 * `nul` says whether they may hold U+0000. No lone surrogates: UTF-8 has none.
 */
export const hostileStrings = (count: number, seed: number, {nul}: {nul: boolean}): string[] => {
  const random = seeded(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const anyCharacter = (): string => {
    const code = Math.floor(random() * 0x110000);
    return code >= 0xd800 && code <= 0xdfff ? '\ufffd' : String.fromCodePoint(code);
  };
  const part = (): string => {
    const dice = random();
    if (dice < 0.3) return pick(attacks);
    if (dice < 0.55) return pick(singles);
    return dice < 0.8 ? pick(plain) : anyCharacter();
  };
  const found = new Set<string>();
  const add = (text: string): void => {
    const kept = nul ? text : text.replaceAll('\0', '\x01');
    if (kept !== '' && found.size < count) found.add(kept);
  };
  for (const text of [...attacks, ...singles]) {
    add(text);
    add(`a${text}b`);
  }
  while (found.size < count) add(Array.from({length: 1 + Math.floor(random() * 6)}, part).join(''));
  return [...found];
};
