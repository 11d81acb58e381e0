/** The registry's table with its guards, put in as an install does: phase by phase, with the mending in between. */
import type pg from 'pg';
import type {Connector} from '../../source/connector.js';
import type {GuardRule, GuardStep} from '../../source/guards.js';
import type {Json} from '../../source/values.js';

export const table = 'app_session_keys';
export const sortedRule: GuardRule = {rule: 'sorted', table, columns: ['session_ids']};
export const uniqueRule: GuardRule = {
  rule: 'unique',
  table,
  columns: ['device_key', 'stream_id', 'session_ids'],
  unordered: ['session_ids'],
};
export const bothRules = [sortedRule, uniqueRule];
export const named = [
  {guard: 'sort-trigger', rule: sortedRule},
  {guard: 'unique', rule: uniqueRule},
];

const ordered = `array(select x from unnest(session_ids) x order by x collate "C")`;

/** Leaves the first of each set, then sorts: sorting moves rows. */
export const mend = async (client: pg.ClientBase, of = table): Promise<void> => {
  await client.query(`begin;
    select from ${of} where (device_key, stream_id, ${ordered}) in (
      select device_key, stream_id, ${ordered} from ${of} group by 1, 2, 3 having count(*) > 1)
      order by ctid for update;
    delete from ${of} where ctid in (select ctid from (select ctid,
      row_number() over (partition by device_key, stream_id, ${ordered} order by ctid) as place from ${of}) r where place > 1);
    commit`);
  await client.query(`update ${of} set session_ids = ${ordered} where session_ids <> ${ordered}`);
};

export type Installed = {steps: GuardStep[]; before: Map<GuardRule, Json>; mended: number};

/** Mends after the refusals, and again each time that a step says so; a bounded number of times. */
export const install = async (
  {guards}: Connector,
  rules: GuardRule[],
  mending: () => Promise<void>,
  afterStep: (step: GuardStep) => Promise<void> = async () => undefined,
): Promise<Installed> => {
  const installed: Installed = {steps: [], before: new Map(), mended: 0};
  for (const rule of rules) installed.before.set(rule, await guards.capture(rule));
  for (const phases of [['prepare'], ['refuse'], ['enforce', 'tidy']]) {
    for (const rule of rules) {
      const steps = await guards.steps(rule, 'install', {before: null});
      for (const step of steps.filter(({phase}) => phases.includes(phase))) {
        let turn = 0;
        while ((await guards.perform(rule, 'install', step, {before: null})) === 'again') {
          if (++turn > 5) throw new Error(`rows are in the way of ${step.name} again and again`);
          await mending();
          installed.mended++;
        }
        installed.steps.push(step);
        await afterStep(step);
      }
    }
    if (phases[0] === 'refuse') await mending();
  }
  return installed;
};

export const uninstall = async (
  {guards}: Connector,
  rules: GuardRule[],
  before: Map<GuardRule, Json> = new Map(),
): Promise<GuardStep[]> => {
  const done: GuardStep[] = [];
  for (const rule of [...rules].reverse()) {
    const options = {before: before.get(rule) ?? null};
    for (const step of await guards.steps(rule, 'uninstall', options)) {
      await guards.perform(rule, 'uninstall', step, options);
      done.push(step);
    }
  }
  return done;
};
