/** What became of the writes that the demo's applications do wrong, as their old versions did. */

export type FaultyWrites = {
  /** The store took them: they are, or will be, findings. */
  stored: number;
  /** A guard turned them down. */
  refused: number;
  /** A guard put right what made them faulty, and they were stored. */
  mended: number;
  /** Why none of them is ever refused; null where a guard can. */
  never: string | null;
};

/** `faulty writes: 14 stored, 9 refused` */
export const faultyWritesText = ({stored, refused, mended, never}: FaultyWrites): string =>
  `faulty writes: ${stored} stored, ${refused} refused${mended > 0 ? `, ${mended} put right` : ''}${never ? ` (${never})` : ''}`;
