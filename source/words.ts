/** Numbers, ages and moments as short texts. */

/** `1 change`, `2 changes`; `many` where the plural isn't the word and an s. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** The results of a run's changes that were not made, as `2 skipped`; those that there are none of are left out. */
export const notMade = ({skipped, failed, unknown}: {skipped: number; failed: number; unknown: number}) =>
  Object.entries({skipped, failed, unknown}).flatMap(([name, count]) =>
    count > 0 ? [`${count} ${name}`] : [],
  );

/** An age in words, in one unit: `90 seconds`, `42 minutes`, `3 hours`, `9 days`. */
export const ageText = (ageSeconds: number): string => {
  if (ageSeconds < 120) return `${ageSeconds} seconds`;
  if (ageSeconds < 7200) return `${Math.floor(ageSeconds / 60)} minutes`;
  return ageSeconds < 172_800
    ? `${Math.floor(ageSeconds / 3600)} hours`
    : `${Math.floor(ageSeconds / 86_400)} days`;
};

/** `20261121T014210Z`: a moment as names of runs and files have it. */
export const stampOf = (moment: Date): string => moment.toISOString().replaceAll(/[-:]|\.\d+/g, '');

/** Of an install or uninstall that found everything as it is to be. */
export const nothingDone = 'there was nothing to be done';
