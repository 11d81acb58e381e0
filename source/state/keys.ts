/**
 * Names for key presses. What a terminal sends together reaches the program as one string (`d`, `y` and Enter
 * typed fast are `dy\r`), so a string is split into the keys that it is made of, by grapheme.
 */

/** The part of Ink's `Key` that is read here. */
export type InkKey = Partial<
  Record<
    | 'upArrow'
    | 'downArrow'
    | 'leftArrow'
    | 'rightArrow'
    | 'pageUp'
    | 'pageDown'
    | 'home'
    | 'end'
    | 'return'
    | 'escape'
    | 'ctrl'
    | 'shift'
    | 'tab'
    | 'backspace'
    | 'delete'
    | 'meta',
    boolean
  >
>;

const special: [keyof InkKey, string][] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pgup'],
  ['pageDown', 'pgdn'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'esc'],
  ['backspace', 'backspace'],
  // Ink calls the byte that the Backspace key sends (DEL) `delete`.
  ['delete', 'backspace'],
];

const segmenter = new Intl.Segmenter(undefined, {granularity: 'grapheme'});

const nameOfGrapheme = (grapheme: string): string | undefined => {
  if (grapheme === '\r' || grapheme === '\n' || grapheme === '\r\n') return 'enter';
  if (grapheme === '\t') return 'tab';
  if (grapheme === ' ') return 'space';
  if (grapheme === '\x7f' || grapheme === '\b') return 'backspace';
  if (grapheme === '\x1b') return 'esc';
  const code = grapheme.codePointAt(0)!;
  if (code < 0x20) return `ctrl+${String.fromCharCode(code + 0x60)}`;
  return code >= 0x80 && code < 0xa0 ? undefined : grapheme;
};

/** The keys in what Ink's `useInput` hands over, in order. Combinations with Alt are none of ours. */
export const keysOf = (input: string, key: InkKey): string[] => {
  for (const [flag, name] of special) {
    if (key[flag]) return [name];
  }
  if (key.tab) return [key.shift ? 'shift+tab' : 'tab'];
  if (key.ctrl) return input.length === 1 ? [`ctrl+${input}`] : [];
  if (key.meta) return [];
  return [...segmenter.segment(input)].flatMap(({segment}) => nameOfGrapheme(segment) ?? []);
};

/** The character that a key types into a field; undefined for a key that types none. */
export const typed = (key: string): string | undefined => {
  if (key === 'space') return ' ';
  return [...segmenter.segment(key)].length === 1 ? key : undefined;
};

/** Text without its last grapheme. */
export const withoutLast = (text: string): string =>
  [...segmenter.segment(text)]
    .slice(0, -1)
    .map(({segment}) => segment)
    .join('');

const PASTE_BEGINS = '[200~';
const PASTE_ENDS = '[201~';

export type Input = {keys: string[]} | {paste: string};

/**
 * Reads a stream of inputs, keeping bracketed paste together: what is pasted comes as one `paste`, however many
 * lines and control characters it has, and never as keys.
 */
export const createInputReader = (): ((input: string, key: InkKey) => Input) => {
  let pasted: string | null = null;
  return (input, key) => {
    if (pasted === null) {
      if (input !== PASTE_BEGINS) return {keys: keysOf(input, key)};
      pasted = '';
      return {keys: []};
    }
    if (input === PASTE_ENDS) {
      const text = pasted;
      pasted = null;
      return {paste: text};
    }
    pasted += input;
    return {keys: []};
  };
};
