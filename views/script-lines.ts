/** Statements and scripts as lines of the screen: each line to its end, with its indentation; comments stand back. */
import {type Line, span, wrap} from './paint.js';

const comment = /^(--|#|\/\/)/;

/** A continuation is indented by two more than the line that it belongs to. */
const lineOf = (text: string, width: number): Line[] => {
  const plain = text.replaceAll('\t', '  ').replace(/\r$/, '');
  const indent = /^ */.exec(plain)![0].slice(0, Math.floor(width / 2));
  const style = comment.test(plain.trim()) ? 'dim' : 'accent';
  const room = Math.max(10, width - indent.length - 2);
  return wrap(plain.trim(), room).map(
    (part, index): Line => [`${indent}${index === 0 ? '' : '  '}`, span(part, style)],
  );
};

/** The lines of a text, `margin` columns from the left. */
export const scriptLines = (text: string, width: number, margin = 2): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .flatMap(line => lineOf(line, width - margin).map((made): Line => [' '.repeat(margin), ...made]));
