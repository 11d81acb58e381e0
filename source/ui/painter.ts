/**
 * Puts whole frames on the terminal. Ink hands each frame over as text; only the lines that changed are written,
 * between the marks of a synchronised update, and of several frames in a row only the latest.
 */
import {EventEmitter} from 'node:events';
import {placed} from '../placed.js';

const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';
const RESET = '\x1b[0m';

/** The part of a terminal's stream that is used. */
export type Output = NodeJS.WriteStream;

/** A line as it is written at a row. Erased first: at the last column the cursor stays on what was written there. */
const placedLine = (line: string, row: number): string => `\x1b[${row};1H\x1b[K${placed(line)}${RESET}`;

export class Painter extends EventEmitter {
  /** What is on the terminal, line by line. */
  private painted: string[] = [];
  private next: string | null = null;
  private scheduled = false;
  private stopped = false;
  private waiting: (() => void)[] = [];
  private ready: (() => void)[] = [];
  private readonly output: Output;

  constructor(output: Output) {
    super();
    this.output = output;
  }

  get columns(): number {
    return this.output.columns || 80;
  }

  get rows(): number {
    return this.output.rows || 24;
  }

  /** Takes a frame, from Ink. */
  write(frame: string): boolean {
    if (this.stopped) return true;
    this.next = frame;
    this.ready.push(...this.waiting.splice(0));
    this.schedule();
    return true;
  }

  /** Calls back once a frame that was drawn after now is on the terminal. */
  afterPaint(listener: () => void): void {
    this.waiting.push(listener);
  }

  /** Writes past the frame: what a terminal acts on and doesn't show. */
  send(sequence: string): void {
    if (!this.stopped) this.output.write(sequence);
  }

  /** Everything is written again: the terminal was another's, or has another size. */
  forget(): void {
    this.painted = [];
    if (this.next === null && !this.stopped) this.output.write('\x1b[2J');
  }

  stop(): void {
    this.stopped = true;
    this.next = null;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.output.writableNeedDrain) {
        this.scheduled = true;
        this.output.once('drain', () => {
          this.scheduled = false;
          this.flush();
        });
        return;
      }
      this.flush();
    });
  }

  private flush(): void {
    if (this.next === null || this.stopped) return;
    const lines = this.next.split('\n').slice(0, this.rows);
    this.next = null;
    const whole = this.painted.length === 0;
    let changes = whole ? `${RESET}\x1b[2J` : '';
    for (let index = 0; index < Math.max(lines.length, this.painted.length); index++) {
      const line = lines[index] ?? '';
      if (line !== this.painted[index]) changes += placedLine(line, index + 1);
    }
    this.painted = lines;
    if (changes !== '') this.output.write(`${BEGIN}${changes}${END}`);
    for (const listener of this.ready.splice(0)) listener();
  }
}
