/** Guards that several checks of a store have in common: what one of them needs is not taken from under it. */
import type {Connector} from '../../connector.js';
import {canonicalJson} from '../../connector.js';
import type {GuardRule} from '../../guards.js';
import type {Json} from '../../values.js';
import type {Checker} from '../checker.js';
import {guardsOf, type HadGuard, shapesOf} from './rules.js';

const isSame = (one: GuardRule, other: GuardRule): boolean =>
  canonicalJson(one as unknown as Json) === canonicalJson(other as unknown as Json) ||
  (one.rule === 'sorted' &&
    other.rule === 'sorted' &&
    one.table === other.table &&
    one.columns.some(column => other.columns.includes(column)));

/**
 * Those of `chosen` that an installed guard of another check needs, with who needs them. A guard that the two have
 * alike goes with either.
 */
export const neededElsewhere = async (
  checker: Checker,
  others: Checker[],
  connector: Connector,
  chosen: HadGuard[],
  signal?: AbortSignal,
): Promise<{guard: HadGuard; by: string}[]> => {
  const needed: {guard: HadGuard; by: string}[] = [];
  for (const other of others) {
    if (other === checker || other.store !== checker.store) continue;
    const had = guardsOf(other, connector.guards, await shapesOf(other, connector, signal));
    for (const {guard, refused} of had) {
      const {rule: base} = had.find(item => item.guard.name === guard.needs)?.guard ?? {};
      if (refused !== null || !base || chosen.some(item => isSame(item.guard.rule, guard.rule))) continue;
      const under = chosen.filter(item => isSame(item.guard.rule, base));
      if (under.length === 0) continue;
      const {state} = await connector.guards.state(guard.rule, signal);
      if (state !== 'installed' && state !== 'drifted') continue;
      needed.push(...under.map(item => ({guard: item, by: `${guard.name} of ${other.id}`})));
    }
  }
  return needed;
};
