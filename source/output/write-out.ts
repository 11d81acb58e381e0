/** Writing results to a stream that may be closed at any time (`sesstui check | head -1`). */
import type {Writable} from 'node:stream';
import {SesstuiError} from '../errors.js';

const gone = new Set(['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'ECONNRESET', 'EOF']);

/** Streams whose reader has gone away. */
const closed = new WeakSet<Writable>();
const watched = new WeakSet<Writable>();

const isGone = (error: Error): boolean => gone.has((error as NodeJS.ErrnoException).code ?? '');

/** Keeps a reader that goes away from ending the process in the middle of its work: an 'error' without a listener would. */
const watch = (stream: Writable): void => {
  if (watched.has(stream)) return;
  watched.add(stream);
  stream.on('error', error => {
    if (isGone(error)) closed.add(stream);
  });
};

/**
 * Writes a text, and resolves when the stream has taken all of it: true, or false when nobody reads it any more.
 * That is no error: the caller finishes what it does (a run is journalled to its end) and ends with exit code 0;
 * later writes return false at once. Throws `internal` when the text could not be written for another reason,
 * such as a full disk.
 */
export const writeOut = (stream: Writable, text: string): Promise<boolean> => {
  watch(stream);
  if (closed.has(stream) || stream.destroyed) return Promise.resolve(false);
  if (text === '') return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    stream.write(text, error => {
      if (!error) return resolve(true);
      if (!isGone(error)) {
        const code = (error as NodeJS.ErrnoException).code ?? error.message;
        return reject(
          new SesstuiError(
            'internal',
            `The output could not be written: ${code}.`,
            'Is the disk full?',
            error,
          ),
        );
      }
      closed.add(stream);
      resolve(false);
    });
  });
};
