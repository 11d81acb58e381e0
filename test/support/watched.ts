/** An emulator that notes everything that a terminal can be made to do besides showing text. */
import xterm from '@xterm/headless';

export type Watched = {
  terminal: xterm.Terminal;
  /** Writes, and comes when all of it has been taken in. */
  write(text: string): Promise<void>;
  /** What happened that text alone never does: answers, bells, titles, OSC, DCS, other colours of the palette. */
  acts: string[];
  /** Modes, buffer, colours: equal before and after text that changed nothing. */
  state(): string;
  /** The lines of the buffer with all that scrolled off, as cells: '' is the second half of a wide character. */
  cells(from?: number, to?: number): string[][];
};

const everyOsc = [0, 1, 2, 4, 7, 8, 9, 10, 11, 12, 50, 52, 104, 110, 111, 112, 133, 777, 1337];

/** Notes what an emulator is made to do; sequences that are noted are not carried out. */
export const watch = (terminal: xterm.Terminal): string[] => {
  const acts: string[] = [];
  terminal.onBell(() => acts.push('bell'));
  terminal.onTitleChange(title => acts.push(`title ${title}`));
  terminal.onData(answer => acts.push(`answer ${JSON.stringify(answer)}`));
  terminal.onBinary(answer => acts.push(`answer ${JSON.stringify(answer)}`));
  for (const number of everyOsc)
    terminal.parser.registerOscHandler(number, data => {
      acts.push(`OSC ${number} ${data.slice(0, 40)}`);
      return true;
    });
  for (const final of ['q', 'p', '{', '|'])
    for (const intermediates of ['', '$', '+'])
      terminal.parser.registerDcsHandler({final, intermediates}, data => {
        acts.push(`DCS ${intermediates}${final} ${data.slice(0, 40)}`);
        return true;
      });
  return acts;
};

export const stateOf = (terminal: xterm.Terminal): string =>
  JSON.stringify({modes: terminal.modes, buffer: terminal.buffer.active.type});

export const cellsOf = (
  terminal: xterm.Terminal,
  from = 0,
  to = terminal.buffer.active.length,
): string[][] => {
  const buffer = terminal.buffer.active;
  return Array.from({length: to - from}, (_, index) => {
    const line = buffer.getLine(from + index);
    return Array.from({length: terminal.cols}, (_cell, column) => {
      const cell = line?.getCell(column);
      return cell && cell.getWidth() === 0 ? '' : cell?.getChars() || ' ';
    });
  });
};

export const openWatched = (
  columns: number,
  rows: number,
  scrollback = 1000,
  options: {convertEol?: boolean} = {convertEol: true},
): Watched => {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback,
    allowProposedApi: true,
    convertEol: options.convertEol,
  });
  return {
    terminal,
    write: text => new Promise(done => terminal.write(text, done)),
    acts: watch(terminal),
    state: () => stateOf(terminal),
    cells: (from, to) => cellsOf(terminal, from, to),
  };
};

/** What is left of written text when the sequences that the program itself uses are taken out. */
export const leftover = (written: string, allowed: RegExp): string[] =>
  [
    ...new Set(
      written.replace(allowed, '').match(/[\p{Control}\p{Format}\u2028\u2029\ufff0-\ufffb\ufffe\uffff]/gu) ??
        [],
    ),
  ]
    .filter(character => character !== '\n' && character !== '\r')
    .map(character => character.codePointAt(0)!.toString(16));
