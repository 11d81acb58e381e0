/** The suite on changes: made as planned or not at all, and undone exactly. */
import {expect} from 'vitest';
import type {Change, Outcome, Unit} from '../../source/connector.js';
import type {ValueMap} from '../../source/values.js';
import type {Declare} from './contract.js';
import {alone, apply, current, existing, load, remove, rename, told} from './contract-changes.js';
import {rowColumns, rowsTable} from './contract-data.js';

const declareUndo = (declare: Declare): void => {
  declare('makes changes, and inverse changes leave the table as it was', async harness => {
    const {connector} = harness;
    const {r1, r2, r3} = await load(harness);
    const before = await harness.dump(rowsTable);
    const {key} = (await connector.describe(rowsTable))!;
    const newKey = Object.fromEntries([...key, 'id'].map(name => [name, {value: 'r9'}]));
    const update: Change = {
      ...existing(r2!),
      op: 'update',
      set: {
        name: {value: 'new'},
        at: {now: true},
        iso: {now: true},
        flag: {remove: true},
        tags: {value: ['x', 'y']},
        n: {value: 9},
      },
    };
    const insert: Change = {
      table: rowsTable,
      identity: {by: 'key', at: {}},
      op: 'insert',
      version: null,
      from: r3!.image,
      set: {...newKey, name: {value: 'copy'}},
    };
    const outcomes = await apply(harness, alone(remove(r1!), update, insert));
    expect(told(outcomes)).toEqual([['applied'], ['applied'], ['applied']]);
    const [, updated, inserted] = outcomes.flat() as {
      after: NonNullable<Extract<Outcome, {result: 'applied'}>['after']>;
    }[];
    const changed = await current(harness);
    expect(Object.keys(changed).sort()).toEqual(['r2', 'r3', 'r4', 'r9']);
    expect(changed.r2!.values).toMatchObject({name: 'new', n: 9, tags: ['x', 'y']});
    expect(changed.r2!.values.flag ?? null).toBeNull();
    // Epoch seconds stay epoch seconds.
    expect(String(changed.r2!.values.iso)).toMatch(/^1[789]\d{8}$/);
    expect(changed.r9!.values).toMatchObject({name: 'copy', n: 3});
    expect(updated!.after.version).toBe(changed.r2!.version);
    expect(inserted!.after.version).toBe(changed.r9!.version);
    const undone = await apply(
      harness,
      alone(
        {table: rowsTable, identity: r1!.identity, op: 'insert', version: null, row: r1!.image},
        {
          table: rowsTable,
          identity: updated!.after.identity,
          op: 'update',
          version: updated!.after.version,
          image: updated!.after.image,
          to: r2!.image,
        },
        {
          table: rowsTable,
          identity: inserted!.after.identity,
          op: 'delete',
          version: inserted!.after.version,
          image: inserted!.after.image,
        },
      ),
    );
    expect(told(undone)).toEqual([['applied'], ['applied'], ['applied']]);
    expect(await harness.dump(rowsTable)).toEqual(before);
  });

  declare('makes many changes of many units', async harness => {
    const rows = Array.from(
      {length: 60},
      (_, index): ValueMap => ({id: `m${index}`, name: `n${index}`, n: index}),
    );
    await harness.load(rowsTable, rowColumns, ['id'], rows);
    const before = await harness.dump(rowsTable);
    const found = Object.values(await current(harness));
    const size = harness.connector.capabilities.unitsPerApply;
    const inSteps = async (units: Unit[]): Promise<string[][]> => {
      const all: string[][] = [];
      for (let from = 0; from < units.length; from += size)
        all.push(...told(await apply(harness, units.slice(from, from + size))));
      return all;
    };
    expect(await inSteps(alone(...found.map(remove)))).toEqual(found.map(() => ['applied']));
    expect(await harness.dump(rowsTable)).toEqual([]);
    const back = found.map(
      (row): Change => ({
        table: rowsTable,
        identity: row.identity,
        op: 'insert',
        version: null,
        row: row.image,
      }),
    );
    expect(await inSteps(alone(...back))).toEqual(found.map(() => ['applied']));
    expect(await harness.dump(rowsTable)).toEqual(before);
  });
};

const declareSkips = (declare: Declare): void => {
  declare('skips a row that is not what the plan saw', async harness => {
    const {r1, r2, r3, r4} = await load(harness);
    await harness.poke(rowsTable, {id: 'r1'}, {name: 'theirs'});
    await harness.poke(rowsTable, {id: 'r2'}, {n: 77});
    expect(
      told(
        await apply(harness, alone(remove(r1!), rename(r2!, 'mine'), {...remove(r3!), skip: 'protected'})),
      ),
    ).toEqual([['changed'], ['changed'], ['protected']]);
    expect(told(await apply(harness, alone(remove(r4!))))).toEqual([['applied']]);
    expect(told(await apply(harness, alone(remove(r4!), rename(r4!, 'ghost'))))).toEqual([
      ['gone'],
      ['gone'],
    ]);
    const now = await current(harness);
    expect(Object.keys(now).sort()).toEqual(['r1', 'r2', 'r3']);
    expect(now.r1!.values.name).toBe('theirs');
    expect(now.r2!.values).toMatchObject({name: 'é', n: 77});
  });

  declare('does not insert over a row that is there', async harness => {
    const {r1} = await load(harness);
    const before = await harness.dump(rowsTable);
    const insert: Change = {
      table: rowsTable,
      identity: r1!.identity,
      op: 'insert',
      version: null,
      row: r1!.image,
    };
    expect(told(await apply(harness, alone(insert)))).toEqual([['exists']]);
    expect(await harness.dump(rowsTable)).toEqual(before);
  });

  declare('makes a change only while its condition holds', async harness => {
    const {r1, r2} = await load(harness);
    const still = (name: string) => ({in: [name], of: {attr: 'name'}});
    const outcomes = await apply(
      harness,
      alone({...remove(r1!), still: still('else')}, {...rename(r2!, 'new'), still: still('é')}),
    );
    expect(told(outcomes)).toEqual([['no-longer'], ['applied']]);
    expect(Object.keys(await current(harness)).sort()).toEqual(['r1', 'r2', 'r3', 'r4']);
  });

  declare('skips a unit whole when a required change of it can not be made', async harness => {
    const {r1, r2, r3} = await load(harness);
    await harness.poke(rowsTable, {id: 'r1'}, {name: 'theirs'});
    const before = await harness.dump(rowsTable);
    const required: Change = {...rename(r1!, 'mine'), required: true};
    const outcomes = await apply(harness, [
      {group: null, changes: [remove(r2!), required]},
      {group: null, changes: [required, rename(r3!, 'mine')]},
    ]);
    expect(told(outcomes)).toEqual([
      ['changed', 'changed'],
      ['changed', 'changed'],
    ]);
    expect(await harness.dump(rowsTable)).toEqual(before);
  });
};

export const declareWrites = (declare: Declare): void => {
  declareUndo(declare);
  declareSkips(declare);
};
