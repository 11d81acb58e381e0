/** Why nothing may be written, and what can be done about it, in words. */
import type {CheckError, ReadOnlyBy} from '../types.js';

const texts: Record<ReadOnlyBy, {message: string; hint: string}> = {
  flag: {
    message: '--read-only was given, and nothing lifts it.',
    hint: 'Quit, and start sesstui without --read-only.',
  },
  configuration: {
    message: 'the configuration says readOnly: true, and nothing lifts it.',
    hint: 'Quit, change readOnly in the configuration, and start sesstui again.',
  },
  production: {
    message: 'the default in production.',
    hint: 'Esc, then :write lifts it.',
  },
};

/** One sentence for a line of the screen. */
export const readOnlyText = (by: ReadOnlyBy): string => {
  const {message, hint} = texts[by];
  return `Read-only: ${message}${by === 'production' ? ` ${hint}` : ''}`;
};

export const readOnlyError = (by: ReadOnlyBy): CheckError => ({code: 'read-only', ...texts[by]});
