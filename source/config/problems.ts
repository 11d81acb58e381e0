/** What is wrong in a configuration, and how it is told. */
import {createRedactor} from '../redact.js';
import {sanitise} from '../sanitise.js';

export type Path = readonly (string | number)[];

/** `line` is 1-based; undefined where there is no text (an object given to the library). */
export type Problem = {path: Path; text: string; line?: number};

/** `stores.rides.checks[0].waitingAfter`; names that aren't plain words are quoted. */
export const pathText = (path: Path): string =>
  path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[\w-]+$/.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');

export const pathKey = (path: Path): string => JSON.stringify(path);

/** One line a problem, in the order of the file: `FILE:LINE: path: text`. No control characters, no secrets. */
export const problemLines = (
  file: string,
  problems: readonly Problem[],
  canaries: readonly string[],
): string => {
  const redact = createRedactor(canaries);
  const sorted = [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const lines = sorted.map(({path, text, line}) => {
    const place = line === undefined ? file : `${file}:${line}`;
    const where = path.length === 0 ? '' : `${pathText(path)}: `;
    return `${sanitise(place)}: ${sanitise(redact(where + text))}`;
  });
  return [...new Set(lines)].join('\n');
};
