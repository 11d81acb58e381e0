/**
 * Draws finished lines. Ink measures and caches every text that it is given and never forgets one, so a ticking
 * age would fill memory without end; it is given one constant text a width, and `Transform` puts the line over it.
 */
import {Box, Text, Transform} from 'ink';
import type {ReactElement} from 'react';
import {drawLine, type Line} from './paint.js';

const fillers = new Map<number, string>();

const filler = (width: number): string => {
  const known = fillers.get(width) ?? 'x'.repeat(Math.max(1, width));
  fillers.set(width, known);
  return known;
};

/** One line that is drawn already: exactly `width` columns. */
export const RawLine = ({text, width}: {text: string; width: number}): ReactElement => (
  <Transform transform={() => text}>
    <Text wrap="truncate">{filler(width)}</Text>
  </Transform>
);

export type LinesProps = {lines: readonly Line[]; width: number; color: boolean};

/** Lines of spans, one under the other. */
export const Lines = ({lines, width, color}: LinesProps): ReactElement => (
  <Box flexDirection="column" flexShrink={0}>
    {lines.map((line, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity but its place
      <RawLine key={index} text={drawLine(line, width, color)} width={width} />
    ))}
  </Box>
);
