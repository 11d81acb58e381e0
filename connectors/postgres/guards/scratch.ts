/** `guards test`: each rule proves itself on a scratch copy of its table, which is dropped in any case. */
import type {GuardRule, NamedRule, Proof} from '../../../source/guards.js';
import type {Json} from '../../../source/values.js';
import type {Table} from '../catalogue.js';
import {isStatementError, mapError} from '../errors.js';
import type {Run, Session} from '../session.js';
import {usualLimits} from './limits.js';
import {carryOut} from './perform.js';
import {type GuardAccess, placeOrThrow} from './place.js';
import type {Place, Scratch} from './rule.js';
import {keeperOf} from './rules.js';
import {catalogueOf, dropLeftOvers, dropScratch, makeScratch, scratchName} from './scratch-schema.js';

const phases = ['prepare', 'refuse', 'enforce', 'tidy'] as const;

/** What has to be installed for a rule to hold, itself last. */
const withNeeded = (rule: GuardRule): GuardRule[] =>
  rule.rule === 'unique' && rule.unordered.length > 0
    ? [{rule: 'sorted', table: rule.table, columns: rule.unordered}, rule]
    : [rule];

/** The strings of a rule that name columns, wherever they stand in it. */
const namesIn = (rule: unknown): string[] => {
  if (typeof rule === 'string') return [rule];
  if (rule === null || typeof rule !== 'object') return [];
  return Object.entries(rule).flatMap(([name, value]) => [name, ...namesIn(value)]);
};

const statement = (text: string, values: unknown[] = []) => ({text, values});

/** As an application's transaction: where policies apply they filter, instead of making every query fail. */
const inTransaction = async <T>(
  session: Session,
  run: Run,
  work: () => Promise<T>,
  evenThen: Run,
): Promise<T> => {
  await run(statement(`${session.writeText}; set local row_security = on`));
  try {
    const result = await work();
    await run(statement('commit'));
    return result;
  } catch (error) {
    if (isStatementError(error) || !(error instanceof Error && /connection/i.test(error.message)))
      await evenThen(statement('rollback')).catch(() => undefined);
    throw error;
  }
};

type Bench = {store: string; session: Session; run: Run; evenThen: Run; signal?: AbortSignal};

const again = 'Rows are in the way of it.';

/** Installs or uninstalls all rules on the copy, phase by phase, as the engine does where no row has to be mended. */
const movesOf = (rules: GuardRule[], place: Place, bench: Bench) => {
  const {session, run, evenThen, signal} = bench;
  const read = <T>(work: (run: Run) => Promise<T>) => session.read(work, signal);
  const builder = {session, run, evenThen, processId: null, limits: usualLimits};
  const before: Json[] = [];
  const move = async (
    rule: GuardRule,
    direction: 'install' | 'uninstall',
    phase: string | null,
    known: Json,
  ) => {
    const keeper = keeperOf(rule);
    const tasks = await read(look => keeper.tasks(rule, place, direction, look, known));
    for (const task of tasks.filter(own => phase === null || own.phase === phase))
      if ((await carryOut(task, place, builder, {before: known, signal})) === 'again') throw new Error(again);
  };
  return {
    install: async (): Promise<void> => {
      for (const [index, rule] of rules.entries())
        before[index] = await read(async look => (await keeperOf(rule).capture?.(rule, place, look)) ?? null);
      for (const phase of phases) for (const rule of rules) await move(rule, 'install', phase, null);
    },
    uninstall: async (): Promise<void> => {
      for (const [index, rule] of [...rules.entries()].reverse())
        await move(rule, 'uninstall', null, before[index] ?? null);
    },
  };
};

const scratchOf = (rules: GuardRule[], place: Place, bench: Bench): Scratch => {
  const {session, run, evenThen, signal} = bench;
  return {
    place,
    sql: place.table.sql,
    query: (text, values) => inTransaction(session, run, () => run(statement(text, values)), evenThen),
    transaction: texts =>
      inTransaction(
        session,
        run,
        async () => {
          const answers = [];
          for (const text of texts) answers.push(await run(statement(text)));
          return answers;
        },
        evenThen,
      ),
    atOnce: texts =>
      Promise.all(
        texts.map(({text, values}) =>
          // Its error is an answer, which the driver's own says best.
          session.alone(
            async (own, ownThen) =>
              inTransaction(session, own, () => own(statement(text, values)), ownThen).then(
                value => ({status: 'fulfilled' as const, value}),
                (reason: unknown) => ({status: 'rejected' as const, reason}),
              ),
            {lockMs: usualLimits.retryMs, signal},
          ),
        ),
      ),
    ...movesOf(rules, place, bench),
  };
};

/** Calls `work` on a copy that is dropped afterwards, whatever happens. */
const onCopy = async <T>(
  rule: GuardRule,
  {table, ...rest}: Place,
  bench: Bench,
  work: (scratch: Scratch, copy: {schema: string; table: Table}) => Promise<T>,
): Promise<T> => {
  const schema = scratchName();
  try {
    const copy = await makeScratch(schema, table, new Set(namesIn(rule)), bench.run);
    return await work(scratchOf(withNeeded(rule), {...rest, table: copy}, bench), {schema, table: copy});
  } finally {
    await dropScratch(schema, bench.evenThen);
  }
};

const leavesNothing = 'uninstalled, nothing of it is left: the catalogue is as it was before';

const proveRule = async ({guard, rule}: NamedRule, place: Place, bench: Bench): Promise<Proof[]> => {
  const proofs: Proof[] = [];
  const failed = (text: string, error: unknown): Proof => ({
    guard,
    text,
    passed: false,
    why: mapError(error, bench.store, bench.signal).message,
  });
  // An abort ends it; anything else is a proof that failed.
  const guarded = async (text: string, work: () => Promise<unknown>): Promise<void> => {
    await work().catch((error: unknown) => {
      if (bench.signal?.aborted) throw error;
      proofs.push(failed(text, error));
    });
  };
  await guarded('the guard could be proved', () =>
    onCopy(rule, place, bench, async scratch => {
      for await (const proof of keeperOf(rule).prove(rule, scratch)) proofs.push({guard, ...proof});
    }),
  );
  await guarded(leavesNothing, () =>
    onCopy(rule, place, bench, async (scratch, {schema, table}) => {
      const look = () => catalogueOf(schema, table, bench.run);
      const before = await look();
      await scratch.install();
      const between = await look();
      await scratch.uninstall();
      const same = (await look()) === before;
      const why =
        between === before
          ? 'installing it left nothing to see'
          : same
            ? null
            : 'the catalogue is another one';
      proofs.push({guard, text: leavesNothing, passed: why === null, why});
    }),
  );
  return proofs;
};

/** The proofs of each rule, rule by rule. Leaves no schema behind, an abort included. */
export async function* proveRules(
  rules: NamedRule[],
  {session, known, store}: GuardAccess,
  signal?: AbortSignal,
): AsyncIterable<Proof> {
  for (const named of rules) {
    const place = await session.read(run => placeOrThrow(named.rule, known, run), signal);
    const proofs = await session.alone(
      async (run, evenThen) => {
        await dropLeftOvers(run);
        return proveRule(named, place, {store, session, run, evenThen, signal});
      },
      {lockMs: usualLimits.retryMs, signal},
    );
    yield* proofs;
  }
}
