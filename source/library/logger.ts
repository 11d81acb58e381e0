/** The logger of the application, which is given neither a credential nor a control character (safety S16, S17). */
import {sanitise} from '../sanitise.js';
import type {Logger} from './context.js';

const silent = (): void => undefined;

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** Without a logger nothing is logged. What a logger throws is its own affair and ends no call. */
export const safeLogger = (logger: Logger | undefined, redact: (text: string) => string): Logger => {
  if (!logger) return {debug: silent, info: silent, warn: silent, error: silent};
  const clean = (text: string): string => sanitise(redact(text));
  const cleanValue = (value: unknown): unknown => {
    if (typeof value === 'string') return clean(value);
    if (Array.isArray(value)) return value.map(cleanValue);
    if (value instanceof Error) return clean(value.message);
    if (typeof value === 'object' && value !== null) return cleanFields(value);
    return value;
  };
  const cleanFields = (fields: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, cleanValue(value)]));
  const safe =
    (level: (typeof levels)[number]) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      try {
        const answer: unknown = logger[level](clean(message), cleanFields(fields));
        // One that writes elsewhere may fail later, which nobody else would hear of.
        Promise.resolve(answer).catch(silent);
      } catch {
        // See above.
      }
    };
  return Object.fromEntries(levels.map(level => [level, safe(level)])) as Logger;
};
