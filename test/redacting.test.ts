/** What comes out of a store's errors when a row has secrets in it, and the store says so. */
import {expect, test} from 'vitest';
import type {Change, Connector, Outcome, Unit} from '../source/connector.js';
import {SesstuiError} from '../source/errors.js';
import type {GuardStep} from '../source/guards.js';
import {redactingConnector} from '../source/redacting.js';
import type {ValueMap} from '../source/values.js';

const secret = 'tok-1234-secret';
const change = (values: ValueMap): Change => ({
  table: 't',
  identity: {by: 'key', at: {id: '1'}},
  op: 'update',
  version: 'v',
  image: values as never,
  set: {otp: {value: 'new-otp-77'}, status: {value: 'cancelled'}},
});
const unit: Unit = {
  group: null,
  changes: [
    change({id: '1', status: 'waiting', phone: '555-1234', session: {accessToken: secret, name: 'kiosk'}}),
  ],
};

const connector = (parts: Partial<Connector>): Connector =>
  redactingConnector(
    {
      store: 's',
      kind: 'mongodb',
      valuesOf: (_table: string, image: unknown) => image as ValueMap,
      ...parts,
    } as Connector,
    {redact: text => text.replaceAll('hunter22', '••••'), secrets: ['phone']},
  );

const failing = async (error: string): Promise<string> => {
  const outcomes: Outcome[][] = [[{result: 'failed', error}]];
  const [told] = await connector({apply: async () => outcomes}).apply([unit], {decideKeeper: () => 0});
  return (told![0] as Extract<Outcome, {result: 'failed'}>).error;
};

test('the values of secret columns, old and new, nested and named by the check, are not told', async () => {
  expect(await failing(`E11000 dup key: { accessToken: "${secret}" }`)).toBe(
    'E11000 dup key: { accessToken: "••••" }',
  );
  expect(await failing('the code new-otp-77 of 555-1234 is taken')).toBe('the code •••• of •••• is taken');
  expect(await failing('invalid input: "waiting", password hunter22')).toBe(
    'invalid input: "waiting", password ••••',
  );
});

test('a call that throws tells no more, and keeps its code and hint', async () => {
  const thrown = new SesstuiError('timeout', `${secret} at hunter22`, 'hint hunter22', new Error('hunter22'));
  const fails = connector({
    apply: async () => {
      throw thrown;
    },
    now: async () => {
      throw thrown;
    },
    valuesOf: (_table, image) => image as ValueMap,
  });
  const caught = await fails.apply([unit], {decideKeeper: () => 0}).catch((error: unknown) => error);
  expect(caught).toMatchObject({code: 'timeout', message: '•••• at ••••', hint: 'hint ••••'});
  expect((caught as Error).cause).toBeUndefined();
  await expect(fails.now()).rejects.toMatchObject({code: 'timeout', hint: 'hint ••••'});
});

test('reading: rows come through, an error in the middle is redacted, and whoever stops early lets go', async () => {
  let closed = 0;
  async function* read() {
    try {
      yield {key: null, having: [], rows: []};
      yield {key: null, having: [], rows: []};
      throw new Error('lost hunter22');
    } finally {
      closed++;
    }
  }
  const reading = connector({read} as never).read({} as never, {now: 0});
  let count = 0;
  const all = async (): Promise<void> => {
    for await (const _ of reading) count++;
  };
  await expect(all()).rejects.toThrow('lost ••••');
  expect([count, closed]).toEqual([2, 1]);
  for await (const _ of connector({read} as never).read({} as never, {now: 0})) break;
  expect(closed).toBe(2);
});

test('an outcome without an error is what it was', async () => {
  const outcomes: Outcome[][] = [[{result: 'skipped', why: 'changed'}]];
  expect(await connector({apply: async () => outcomes}).apply([unit], {decideKeeper: () => 0})).toEqual(
    outcomes,
  );
});

test('what is told before a commit is redacted as well, of the units that it is about', async () => {
  const outcomes: Outcome[][] = [[{result: 'failed', error: `not ${secret}`}]];
  const other: Unit = {group: null, changes: [change({id: '2', token: 'another-token'})]};
  const heard: unknown[] = [];
  const store = connector({
    apply: async (_units, {prepared}) => {
      await prepared?.({token: {transaction: '7'}, from: 1, outcomes});
      return [[{result: 'skipped', why: 'changed'}], ...outcomes];
    },
  });
  await store.apply([other, unit], {
    decideKeeper: () => 0,
    prepared: async transaction => {
      heard.push(transaction);
    },
  });
  expect(heard).toEqual([
    {token: {transaction: '7'}, from: 1, outcomes: [[{result: 'failed', error: 'not ••••'}]]},
  ]);
});

test('what a store says of its guards tells no credential: errors, states, progress and proofs', async () => {
  const rule = {rule: 'unique-id', table: 't', id: 'id'} as const;
  const step: GuardStep = {name: 'index', phase: 'enforce', text: 'builds it', statements: []};
  const {guards} = connector({
    guards: {
      refuses: () => null,
      state: async () => ({state: 'drifted', why: 'made by hunter22'}),
      capture: async () => null,
      steps: async () => {
        throw new SesstuiError('refused', 'no hunter22');
      },
      perform: async (_rule, _direction, _step, {onProgress}) => {
        onProgress?.('waiting for hunter22');
        throw new Error('hunter22 is in the way');
      },
      script: async () => '',
      prove: async function* () {
        yield {guard: 'unique-id', text: 'it holds', passed: false, why: 'hunter22 wrote'};
      },
    },
  });
  expect(await guards.state(rule)).toEqual({state: 'drifted', why: 'made by ••••'});
  await expect(guards.steps(rule, 'install', {before: null})).rejects.toThrow('no ••••');
  const told: string[] = [];
  const performed = guards.perform(rule, 'install', step, {
    before: null,
    onProgress: text => told.push(text),
  });
  await expect(performed).rejects.toThrow('•••• is in the way');
  expect(told).toEqual(['waiting for ••••']);
  for await (const {why} of guards.prove([])) expect(why).toBe('•••• wrote');
});
