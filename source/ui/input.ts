/**
 * Standard input as Ink reads it, with one difference: an escape at the end of what was read is held for a moment.
 * A slow line cuts sequences in two, and the first half of an arrow key would be taken for Escape.
 */
import {EventEmitter} from 'node:events';

const HOLD_MS = 30;

/** An escape sequence that has not come to its end. */
const unfinished = /\x1b(?:\x1b?(?:\[[0-?]*[ -/]*|O)?)?$/;

export class HeldInput extends EventEmitter {
  readonly isTTY = true;
  private held = '';
  private readonly queue: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly input: NodeJS.ReadStream;

  constructor(input: NodeJS.ReadStream) {
    super();
    this.input = input;
    input.setEncoding('utf8');
    input.on('data', this.take);
  }

  private readonly take = (chunk: string | Buffer): void => {
    clearTimeout(this.timer);
    const text = this.held + String(chunk);
    const tail = text.match(unfinished)?.[0] ?? '';
    this.held = tail;
    this.pass(text.slice(0, text.length - tail.length));
    if (tail !== '') {
      this.timer = setTimeout(() => {
        this.held = '';
        this.pass(tail);
      }, HOLD_MS);
    }
  };

  private pass(text: string): void {
    if (text === '') return;
    this.queue.push(text);
    this.emit('readable');
  }

  read(): string | null {
    return this.queue.shift() ?? null;
  }

  setEncoding(): void {}

  setRawMode(on: boolean): this {
    this.input.setRawMode?.(on);
    return this;
  }

  ref(): void {
    this.input.ref?.();
    this.input.resume();
  }

  unref(): void {
    this.input.unref?.();
  }

  /** Lets go of standard input: cooked again, and not read any more. */
  release(): void {
    clearTimeout(this.timer);
    this.input.off('data', this.take);
    try {
      this.input.setRawMode?.(false);
    } catch {
      // The terminal is gone, and its modes with it.
    }
    this.input.pause();
  }
}
