/** Comments of scripts in SQL. */

/** One line of a comment, whatever a name holds. */
export const oneLine = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ');

/** Each line a comment of its own. */
export const comment = (lines: string[]): string =>
  lines.map(line => oneLine(`-- ${line}`.trimEnd())).join('\n');

/** Whether nothing of it is a statement. */
export const isComment = (statement: string): boolean =>
  statement.split('\n').every(line => /^\s*(?:--|$)/.test(line));
