/** The suite that every connector passes: what the store answers is what the reference evaluator answers. */
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {codeOf} from '../support/rejections.js';
import {declareBlocked} from './contract-blocked.js';
import {nowMicros, partnersTable, rowColumns, rowsTable} from './contract-data.js';
import {declareGroups} from './contract-groups.js';
import {declarePages} from './contract-pages.js';
import {declarePuts} from './contract-put.js';
import {declareReads} from './contract-reads.js';
import {declareWrites} from './contract-writes.js';
import type {Harness} from './harness.js';

export type Declare = (title: string, check: (harness: Harness) => Promise<void>) => void;

const everyRow = (from: string) => ({form: 'rows' as const, from, where: {all: []}, show: [], tags: {}});
const onePage = {now: nowMicros, offset: 0, limit: 10};

const declareStore = (declare: Declare): void => {
  declare('says what the server and a table are', async ({connector, load}) => {
    await load(rowsTable, rowColumns, ['id'], [{id: 'r1', name: 'a'}]);
    const server = await connector.server();
    expect(server.id).not.toBe('');
    expect(await connector.server()).toEqual(server);
    expect(await connector.tables()).toContain(rowsTable);
    const shape = (await connector.describe(rowsTable))!;
    expect(shape).toMatchObject({table: rowsTable, cascades: [], hidden: null});
    expect(shape.key).toHaveLength(1);
    if (shape.columns)
      expect(shape.columns.map(column => column.name)).toEqual(
        expect.arrayContaining(Object.keys(rowColumns)),
      );
  });

  declare("tells the time of the store's clock", async ({connector}) => {
    expect(Math.abs((await connector.now()) / 1000 - Date.now())).toBeLessThan(60_000);
  });

  declare('describes a missing table as null', async ({connector}) => {
    expect(await connector.describe('contract_nowhere')).toBeNull();
  });

  declare('names a column that is not there', async ({connector, load}) => {
    await load(rowsTable, rowColumns, ['id'], [{id: 'r1'}]);
    const {columns} = (await connector.describe(rowsTable))!;
    const form = {...everyRow(rowsTable), where: {in: ['x'], of: {attr: 'emial'}}};
    // Without a schema a name that no row has is only absent.
    if (columns) expect(await codeOf(connector.survey(form, onePage))).toBe('not-found');
    else expect((await connector.survey(form, onePage)).total).toBe(0);
  });

  declare('does not answer when it was interrupted before', async ({connector, load}) => {
    await load(rowsTable, rowColumns, ['id'], [{id: 'r1'}]);
    const signal = AbortSignal.abort();
    expect(await codeOf(connector.survey(everyRow(rowsTable), {...onePage, signal}))).toBe('interrupted');
    expect((await connector.survey(everyRow(rowsTable), onePage)).total).toBe(1);
  });

  declare('says that a server is unreachable', async ({elsewhere}) => {
    if (!elsewhere) return;
    const connector = elsewhere();
    try {
      expect(await codeOf(connector.now())).toBe('unreachable');
    } finally {
      await connector.close();
    }
  });
};

/** Declares the suite for one store; `open` is called once, before the first test. */
export const connectorSuite = (name: string, open: () => Promise<Harness>): void => {
  describe(`connector contract: ${name}`, () => {
    let harness: Harness | undefined;
    beforeAll(async () => {
      harness = await open();
    }, 60_000);
    afterAll(async () => {
      await harness?.drop(rowsTable);
      await harness?.drop(partnersTable);
      await harness?.close();
    }, 60_000);
    const declare: Declare = (title, check) => {
      test(title, async context => {
        context.skip(harness!.limits?.skip?.includes(title) ?? false, 'this store can not');
        await check(harness!);
      }, 60_000);
    };
    declareStore(declare);
    declareReads(declare);
    declarePages(declare);
    declareWrites(declare);
    declareGroups(declare);
    declarePuts(declare);
    declareBlocked(declare);
  });
};
