/** The beginning of an install or uninstall: refused where rows are in the way, alone, and on disk before any step. */
import {environmentName} from '../../config/schema.js';
import type {Unit} from '../../connector.js';
import {asSesstuiError, SesstuiError} from '../../errors.js';
import type {GuardPlan} from '../../guards.js';
import {shellWord} from '../../shell-word.js';
import {configurationOf, type Planning} from '../plan/held-plan.js';
import {beginRun, type OpenRun} from '../run/open-run.js';
import {requireFree} from '../run/run-lock.js';
import {findingWords} from './in-the-way.js';
import type {Prepared} from './prepare.js';
import {StepRecorder} from './recorder.js';
import {guardRunsOf} from './records.js';

/** Goes on with an install that was begun without --clean, which `resume` does not take. */
export const installWithClean = ({check, before}: Pick<GuardPlan, 'check' | 'before'>): string => {
  const isWithOptIn = before.some(({optIn}) => optIn);
  const names = isWithOptIn ? before.flatMap(({guard}) => ['--guard', guard]) : [];
  return ['sesstui', 'guards', 'install', check, ...names, '--clean', '--yes'].map(shellWord).join(' ');
};

/** Throws `usage` where rows are in the way that nobody said are to be mended. */
export const refuseInTheWay = ({plan}: {plan: GuardPlan}): void => {
  const {check, findings, violations, clean, of} = plan;
  if (violations.length > 0)
    throw new SesstuiError('usage', violations.join('; '), 'Somebody has to decide about these rows first.');
  if (clean || Object.keys(findings).length === 0) return;
  throw new SesstuiError(
    'usage',
    `${check}: in the way: ${findingWords(findings)}`,
    of
      ? `\`${installWithClean(plan)}\` mends them in a run of its own that can be taken back, and goes on with it.`
      : 'Add --clean, which mends them in a run of its own that can be taken back, or clean first (sesstui clean).',
  );
};

const noRows = (changes: number): AsyncIterable<Unit> & {changes: number} => ({
  changes,
  async *[Symbol.asyncIterator]() {},
});

/** Of two at once the one that began later gives way. */
const requireAlone = async (planning: Planning, {run, header}: {run: OpenRun; header: OpenRun['header']}) => {
  const {stateDirectory} = planning;
  const before = (other: OpenRun['header']): boolean =>
    other.at < header.at || (other.at === header.at && other.run < header.run);
  for (const {header: other} of await guardRunsOf(stateDirectory, header.server, header.check)) {
    if (!before(other)) continue;
    await requireFree(stateDirectory, other.run).catch(async error => {
      await new StepRecorder(run).end('done', asSesstuiError(error).message);
      throw error;
    });
  }
};

/** Throws `usage` where another process is at the same guards; nothing was changed then. */
export const beginGuards = async (
  planning: Planning,
  {plan, checker, server, before, guards}: Prepared,
  note: string | null,
): Promise<OpenRun> => {
  const working = guards.filter(({name}) => plan.steps.some(({guard}) => guard === name));
  const run = await beginRun(
    planning.stateDirectory,
    {
      store: checker.store.name,
      check: checker.id,
      action: plan.direction === 'install' ? 'install-guards' : 'uninstall-guards',
      environment: environmentName(planning.config),
      server,
      note,
      undoes: plan.of && plan.direction === 'uninstall' ? plan.of : null,
      reasons: [],
      of: {drastic: false, secrets: checker.config.secrets, configuration: configurationOf(checker)},
      guards: {
        direction: plan.direction,
        names: working.map(({name}) => name),
        before: Object.fromEntries(working.map(({name}) => [name, before[name]!])),
        clean: plan.clean,
      },
    },
    noRows(plan.steps.length),
    [],
  );
  try {
    await requireAlone(planning, {run, header: run.header});
    return run;
  } catch (error) {
    await run.close();
    throw error;
  }
};
