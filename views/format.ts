/** Numbers, durations and counts as people read them. */
const numbers = new Intl.NumberFormat('en');

/** `1,034,221` */
export const count = (value: number): string => numbers.format(value);

/** `1 finding`, `1,204 findings` */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** Seconds as the two largest units at most: `42 s`, `7 min`, `3 h 12 min`, `2 d 4 h`. */
export const duration = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${count(days)} d` : `${count(days)} d ${hours % 24} h`;
};

/** The same for a narrow column, in 7 characters: `42s`, `7m`, `3h 12m`, `2d 4h`, `832d`. */
export const compact = (seconds: number): string => {
  const text = duration(seconds)
    .replace(/ min/g, 'm')
    .replace(/ (?=[shd])/g, '');
  return text.length <= 7 ? text : text.split(' ')[0]!;
};

/** How long ago that was: `3 s ago`, `7 min ago`, in its largest unit; both in milliseconds. */
export const ago = (then: number, now: number): string =>
  `${duration((now - then) / 1000)
    .split(' ')
    .slice(0, 2)
    .join(' ')} ago`;

/** `2026-11-21 01:42:10` of an ISO 8601 time; the text itself if it is none. */
export const moment = (iso: string): string =>
  iso
    .match(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/)
    ?.slice(1)
    .join(' ') ?? iso;

/** `9 duplicate, 3 non-canonical-id`: what is not zero. */
export const tally = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${count(value)} ${name}`)
    .join(', ');
