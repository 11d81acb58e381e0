/** Text between dollars, as PostgreSQL quotes bodies of functions. */

/** Between dollars that the text does not hold itself. */
export const dollarQuoted = (text: string): string => {
  let tag = '$sesstui$';
  for (let number = 1; text.includes(tag); number++) tag = `$sesstui${number}$`;
  return `${tag}${text}${tag}`;
};
