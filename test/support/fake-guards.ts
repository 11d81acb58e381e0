/** Guards over the fake engine's checks: states in memory, plans and runs as the real engine's. Made up. */
import {SesstuiError} from '../../source/errors.js';
import type {GuardInfo, GuardPlan, GuardResult, GuardState} from '../../source/guards.js';
import type {CheckError} from '../../source/types.js';
import type {GuardingEngine} from '../../source/ui/guarding.js';

const guard = (
  check: string,
  name: string,
  prevents: string,
  state: GuardState,
  more: Partial<GuardInfo> = {},
): GuardInfo => ({
  check,
  guard: name,
  state,
  why: null,
  up: `-- ${name}: what it does, in a comment\nbegin;\nset local lock_timeout = '2s';\ncreate ${name};\ncommit;\n`,
  down: `begin;\ndrop ${name};\ncommit;\n`,
  prevents,
  optIn: false,
  ...more,
});

/** One of every state, an opt-in one and one that no store of its kind has. */
export const sampleGuards = (): GuardInfo[] => [
  guard('kite/duplicates', 'unique', 'A second row with the same accountId is stored.', 'unavailable', {
    why: 'DynamoDB has no unique constraint; account-index and write-path come closest',
    up: '',
    down: '',
  }),
  guard(
    'kite/duplicates',
    'account-index',
    'Looking for a second row of the same accountId reads the whole table.',
    'installed',
  ),
  guard('chat/null-ids', 'unique-id', 'Two documents have the same sessionId.', 'missing'),
  guard('gym/device-sessions', 'one-background', 'An email gets a second background session.', 'drifted', {
    why: 'auth_sessions_one_background is on email, not on lower(trim(email))',
  }),
  guard(
    'gym/device-sessions',
    'row-security',
    "A signed-in user reads or changes somebody else's sessions, or any background session.",
    'missing',
    {optIn: true},
  ),
  guard(
    'registry/duplicates',
    'sort-trigger',
    'The same session_ids in another order are stored as if they were something else.',
    'missing',
  ),
  guard(
    'registry/duplicates',
    'unique',
    'A second row with the same device_key, stream_id, session_ids is stored.',
    'missing',
  ),
  guard(
    'rides/stale-sessions',
    'auto-cancel',
    'A stale waiting session keeps its customer from buying.',
    'installed',
  ),
];

export type FakeGuards = Required<GuardingEngine> & {items: GuardInfo[]};

type Around = {
  asked: string[];
  environment: string;
  production: boolean;
  readOnly(): boolean;
  errorOf(check: string): CheckError | null;
  /** Findings of a check by reason, and what cleans them. */
  found(check: string): Record<string, number>;
  clean(check: string): void;
  betweenSteps?: () => Promise<void>;
};

/** Reasons of findings that a guard can't be put in over. */
const inTheWay = ['duplicate', 'payload-differs', 'null-id', 'missing-id'];

const wantedState = {install: 'installed', uninstall: 'missing'} as const;

export const createFakeGuards = (around: Around): FakeGuards => {
  const items = sampleGuards();
  const now = (item: GuardInfo): GuardInfo => {
    const error = around.errorOf(item.check);
    return error ? {...item, state: 'unavailable', why: null, error} : {...item};
  };
  const stepsOf = ({guard: name}: GuardInfo, direction: 'install' | 'uninstall'): GuardPlan['steps'] =>
    direction === 'uninstall'
      ? [{guard: name, name: 'drop', phase: 'tidy', text: 'drops it.', statements: [`drop ${name}`]}]
      : [
          {
            guard: name,
            name: 'prepare',
            phase: 'prepare',
            text: 'puts in what refuses the fault.',
            statements: [`create function ${name}() returns trigger\n  language plpgsql as $$ … $$`],
          },
          {
            guard: name,
            name: 'index',
            phase: 'enforce',
            text: 'builds the index beside the writers.',
            statements: [`create unique index concurrently ${name} on some_table (some_column)`],
          },
        ];
  const inWay = (check: string): Record<string, number> =>
    Object.fromEntries(Object.entries(around.found(check)).filter(([reason]) => inTheWay.includes(reason)));
  return {
    items,
    async guards() {
      around.asked.push('guards');
      return items.map(now);
    },
    async planGuards(check, direction, {guards, clean = false} = {}) {
      around.asked.push(
        `planGuards ${check} ${direction} ${guards?.join() ?? 'all'}${clean ? ', clean' : ''}`,
      );
      const chosen = items.filter(
        item => item.check === check && (guards ? guards.includes(item.guard) : !item.optIn),
      );
      const open = chosen.filter(item => now(item).state !== wantedState[direction]);
      return {
        check,
        direction,
        guards: chosen.map(item => item.guard),
        before: chosen.map(now),
        steps: open.flatMap(item => stepsOf(item, direction)),
        findings: direction === 'install' ? inWay(check) : {},
        clean,
        mends: [],
        violations: [],
        notes: [],
        confirmations: around.production ? [{expected: around.environment, why: 'this is production'}] : [],
      };
    },
    async planGuardRun(run, what) {
      around.asked.push(`planGuardRun ${run} ${what}`);
      const plan = await this.planGuards('kite/duplicates', 'uninstall', {guards: ['account-index']});
      return {...plan, of: run};
    },
    async runGuards(plan, {confirmed = [], note, signal, onProgress} = {}) {
      around.asked.push(
        `runGuards ${plan.check} ${plan.direction} ${plan.guards.join()}${note === undefined ? '' : `, because ${note}`}`,
      );
      if (around.readOnly()) throw new SesstuiError('read-only', 'it is read-only', ':write lifts it.');
      if (plan.confirmations.some(({expected}, index) => confirmed[index] !== expected))
        throw new SesstuiError('confirmation', 'the confirmation was not typed', 'Type it exactly.');
      const runs: string[] = [];
      if (plan.clean && Object.keys(inWay(plan.check)).length > 0) {
        around.clean(plan.check);
        runs.push('20261121T014210Z-7f30');
      }
      const done: GuardResult['steps'] = [];
      for (const {guard: name, name: stepName, text} of plan.steps) {
        if (signal?.aborted) break;
        onProgress?.({guard: name, step: stepName, text: `waiting for a lock on ${plan.check} (try 2)`});
        await around.betweenSteps?.();
        done.push({guard: name, name: stepName, text});
      }
      const interrupted = done.length < plan.steps.length;
      const chosen = items.filter(item => item.check === plan.check && plan.guards.includes(item.guard));
      if (!interrupted)
        for (const item of chosen) Object.assign(item, {state: wantedState[plan.direction], why: null});
      return {
        run: '20261121T014211Z-9c01',
        dryRun: false,
        check: plan.check,
        direction: plan.direction,
        guards: chosen.map(now),
        steps: done,
        runs,
        notes: [],
        interrupted,
      };
    },
  };
};
