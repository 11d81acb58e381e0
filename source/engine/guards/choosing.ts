/** Which guards an install, an uninstall or a script is about. */
import {nearest} from '../../config/nearest.js';
import {SesstuiError} from '../../errors.js';
import type {GuardDirection, GuardInfo} from '../../guards.js';
import type {HadGuard} from './rules.js';

/** Throws `usage` for a name that the check doesn't have. */
export const named = (check: string, had: HadGuard[], names: readonly string[]): HadGuard[] => {
  const known = had.map(({guard}) => guard.name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new SesstuiError(
      'usage',
      `check ${check} has no guard "${name}"${near ? `; the nearest is "${near}"` : ''}`,
      known.length > 0 ? `Its guards: ${known.join(', ')}.` : 'It has none.',
    );
  }
  return had.filter(({guard}) => names.includes(guard.name));
};

const unavailable = ({check, guard, why}: GuardInfo): SesstuiError =>
  new SesstuiError(
    'unsupported',
    `${check}: guard ${guard} is unavailable${why ? `: ${why}` : ''}`,
    `\`sesstui guards ${check}\` shows its guards.`,
  );

/**
 * Without names. What was put in by name goes with the others: half of a check's guards may do more harm than none.
 */
const isMeant = (
  {guard}: HadGuard,
  direction: 'install' | 'uninstall',
  stateOf: (name: string) => GuardInfo,
): boolean => !guard.optIn || (direction === 'uninstall' && stateOf(guard.name).state !== 'unavailable');

/**
 * Those that are meant, in the order of the install, with notes. Throws `usage` for an unknown one, or one that another
 * installed one needs; `unsupported` where one that is named is unavailable, or all are.
 */
export const chooseGuards = (
  check: string,
  direction: GuardDirection,
  had: HadGuard[],
  infos: GuardInfo[],
  names: string[] | undefined,
): {chosen: HadGuard[]; notes: string[]} => {
  const notes: string[] = [];
  const stateOf = (name: string): GuardInfo => infos.find(({guard}) => guard === name)!;
  const wanted = names ? named(check, had, names) : had.filter(item => isMeant(item, direction, stateOf));
  const can = wanted.filter(({guard}) => stateOf(guard.name).state !== 'unavailable');
  const cannot = wanted.filter(item => !can.includes(item)).map(({guard}) => stateOf(guard.name));
  if (cannot.length > 0 && (names || can.length === 0)) throw unavailable(cannot[0]!);
  for (const {guard, why} of cannot) notes.push(`${guard} is left out: ${why ?? 'it is unavailable'}`);
  if (direction === 'uninstall') {
    refuseNeeded(check, had, can, stateOf);
    return {chosen: can, notes};
  }
  const chosen = had.filter(
    item => can.includes(item) || can.some(({guard}) => guard.needs === item.guard.name),
  );
  for (const item of chosen) {
    if (can.includes(item)) continue;
    if (stateOf(item.guard.name).state === 'unavailable') throw unavailable(stateOf(item.guard.name));
    const needing = can.find(({guard}) => guard.needs === item.guard.name)!;
    if (stateOf(item.guard.name).state !== 'installed')
      notes.push(`${needing.guard.name} needs ${item.guard.name}, which is installed with it`);
  }
  return {chosen, notes};
};

const refuseNeeded = (
  check: string,
  had: HadGuard[],
  chosen: HadGuard[],
  stateOf: (name: string) => GuardInfo,
): void => {
  for (const {guard} of chosen) {
    const needing = had.find(
      item =>
        item.guard.needs === guard.name &&
        !chosen.includes(item) &&
        ['installed', 'drifted'].includes(stateOf(item.guard.name).state),
    );
    if (needing)
      throw new SesstuiError(
        'usage',
        `${check}: guard ${guard.name} is needed by ${needing.guard.name}, which is installed`,
        `Take both away: sesstui guards uninstall ${check} --guard ${needing.guard.name} --guard ${guard.name}.`,
      );
  }
};
