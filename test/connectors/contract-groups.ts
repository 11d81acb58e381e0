/** The suite on groups: whoever else is at work, a group keeps a row. */
import {expect} from 'vitest';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {KeepRule, Unit} from '../../source/connector.js';
import {Time, type ValueMap} from '../../source/values.js';
import type {Declare} from './contract.js';
import {idOf} from './contract-answers.js';
import {
  alone,
  apply,
  current,
  first,
  keptBy,
  latest,
  load,
  minute,
  remove,
  told,
} from './contract-changes.js';
import {nowMicros, rowColumns, rowsTable} from './contract-data.js';

export const declareGroups = (declare: Declare): void => {
  declare('never deletes the keeper that is decided under the lock', async harness => {
    const {r1, r2, r3} = await load(harness);
    expect(
      told(
        await apply(harness, [
          keptBy('ann@example.com', first, r3!, [remove(r1!), remove(r2!), remove(r3!)]),
        ]),
      ),
    ).toEqual([['keeper', 'applied', 'applied']]);
    expect(Object.keys(await current(harness)).sort()).toEqual(['r1', 'r4']);
  });

  declare('decides the keeper again when the planned one has fallen behind', async harness => {
    const {r1, r2, r3} = await load(harness);
    await harness.poke(rowsTable, {id: 'r3'}, {at: new Time(nowMicros - 50 * minute)});
    expect(
      told(await apply(harness, [keptBy('ann@example.com', latest, r3!, [remove(r1!), remove(r2!)])])),
    ).toEqual([['applied', 'keeper']]);
    expect(Object.keys(await current(harness)).sort()).toEqual(['r2', 'r3', 'r4']);
  });

  declare('keeps the last rows when the chosen keeper is gone', async harness => {
    const {r1, r2, r3} = await load(harness);
    await apply(harness, alone(remove(r1!)));
    const chosen: KeepRule = {by: 'identity', identity: r1!.identity};
    await apply(harness, [keptBy('ann@example.com', chosen, r1!, [remove(r2!), remove(r3!)])]);
    const left = Object.keys(await current(harness)).filter(id => id !== 'r4');
    expect(left.length).toBeGreaterThan(0);
  });

  declare('deletes every row of a group only when no keeper is wanted', async harness => {
    const {r1, r2, r3} = await load(harness);
    expect(
      told(
        await apply(harness, [
          keptBy('ann@example.com', {by: 'none'}, null, [remove(r1!), remove(r2!), remove(r3!)]),
        ]),
      ),
    ).toEqual([['applied', 'applied', 'applied']]);
    expect(Object.keys(await current(harness))).toEqual(['r4']);
  });

  declare('two operators with opposite rules leave a row in every group', async harness => {
    const groups = Array.from({length: 6}, (_, index) => `g${index}@example.com`);
    const rows = groups.flatMap((email, index) =>
      [0, 1, 2].map((at): ValueMap => ({id: `${index}-${at}`, email, at: new Time(nowMicros + at * minute)})),
    );
    await harness.load(rowsTable, rowColumns, ['id'], rows);
    const found = await current(harness);
    const unit = (email: string, index: number, rule: KeepRule): Unit => {
      const members = [0, 1, 2].map(at => found[`${index}-${at}`]!);
      const keeper = members[decideKeeper(rule, members)]!;
      return keptBy(email, rule, keeper, members.filter(row => idOf(row) !== idOf(keeper)).map(remove));
    };
    const size = harness.connector.capabilities.unitsPerApply;
    const operator = async (rule: KeepRule): Promise<void> => {
      const units = groups.map((email, index) => unit(email, index, rule));
      for (let from = 0; from < units.length; from += size)
        await apply(harness, units.slice(from, from + size));
    };
    await Promise.all([operator(first), operator(latest)]);
    const left = new Set(Object.values(await current(harness)).map(row => row.values.email));
    expect([...left].sort()).toEqual(groups);
  });
};
