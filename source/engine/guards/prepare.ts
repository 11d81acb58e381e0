/** What an install or uninstall would do now, from what is there. */

import {SesstuiError} from '../../errors.js';
import {
  type Guard,
  type GuardDirection,
  type GuardInfo,
  type GuardPlan,
  type GuardStep,
  guardPhases,
} from '../../guards.js';
import {isSameServer} from '../../same-server.js';
import type {Json} from '../../values.js';
import {counted} from '../../words.js';
import type {Checker} from '../checker.js';
import {inAnother, inProduction} from '../confirmations.js';
import {type RunRecord, readRun} from '../disk/run-files.js';
import {estimateOf, type Planning} from '../plan/held-plan.js';
import {chooseGuards} from './choosing.js';
import {findingsInTheWay, undecidedOf, violationsOf} from './in-the-way.js';
import {infosOf} from './look.js';
import {cutOffMends, plannedMends} from './mending.js';
import {guardRunsOf, knownBefore} from './records.js';
import {guardsOf, shapesOf} from './rules.js';
import {neededElsewhere} from './shared.js';

type GuardPlanOptions = {
  guards?: string[];
  clean?: boolean;
  /** The run that it takes back or goes on with. */
  of?: string;
  signal?: AbortSignal;
};

export type Prepared = {
  plan: GuardPlan;
  checker: Checker;
  server: string;
  /** Those that the plan is about, in the order of the install. */
  guards: Guard[];
  before: Record<string, Json>;
  records: RunRecord[];
  /** Those that an uninstall leaves in because another check needs them. */
  stay: string[];
  /** Those of the plan's notes that are as true when it is done: the others tell what is going to be. */
  notes: string[];
  estimatedRows: number | null;
};

type Planned = Pick<Prepared, 'before' | 'server' | 'guards' | 'records' | 'stay' | 'estimatedRows'> & {
  infos: GuardInfo[];
  steps: (GuardStep & {guard: string})[];
  notes: string[];
};

/** In the order in which they are carried out. */
const inOrder = <Step extends GuardStep>(steps: Step[], direction: GuardDirection): Step[] =>
  direction === 'uninstall'
    ? steps
    : guardPhases.flatMap(phase => steps.filter(step => step.phase === phase));

/** An uninstall takes away last what others need. */
export const ordered = (guards: Guard[], direction: GuardDirection): Guard[] =>
  direction === 'install' ? guards : [...guards].reverse();

const look = (
  {stateDirectory, checkers}: Planning,
  checker: Checker,
  direction: GuardDirection,
  {guards: names, signal}: GuardPlanOptions,
  of: RunRecord | null,
): Promise<Planned> =>
  checker.store.ask(
    async connector => {
      const shapes = await shapesOf(checker, connector, signal);
      const had = guardsOf(checker, connector.guards, shapes);
      const infos = await infosOf(checker, connector, shapes, signal);
      const {chosen, notes} = chooseGuards(checker.id, direction, had, infos, names);
      // What stays is not in the plan any more when it is carried out, and is told all the same.
      const under = had.filter(
        ({guard: {name}}) =>
          of?.header.guards?.names.includes(name) || chosen.some(({guard}) => guard.needs === name),
      );
      const mayStay = [...new Set([...chosen, ...under])];
      const needed =
        direction === 'uninstall' ? await neededElsewhere(checker, checkers, connector, mayStay, signal) : [];
      for (const {guard, by} of needed) notes.push(`${guard.guard.name} stays: ${by} needs it`);
      const guards = chosen.filter(item => !needed.some(({guard}) => guard === item)).map(({guard}) => guard);
      const {id: server} = await connector.server(signal);
      const records = await guardRunsOf(stateDirectory, server, checker.id);
      const before: Record<string, Json> = {};
      const steps: Planned['steps'] = [];
      for (const guard of ordered(guards, direction)) {
        const {state} = infos.find(info => info.guard === guard.name)!;
        const known = knownBefore(records, guard, state);
        before[guard.name] =
          known ?? (direction === 'install' ? await connector.guards.capture(guard.rule, signal) : null);
        const left = await connector.guards.steps(guard.rule, direction, {
          before: before[guard.name]!,
          signal,
        });
        steps.push(...left.map(step => ({...step, guard: guard.name})));
        if (direction === 'uninstall' && known === undefined && left.length > 0)
          notes.push(
            `no run of this state directory knows what stood in the place of ${guard.name} before it was installed: it is only taken away`,
          );
      }
      const estimatedRows = estimateOf(checker, shapes);
      return {
        ...{infos, guards, server, records, before, notes, estimatedRows},
        stay: needed.map(({guard}) => guard.guard.name),
        steps: inOrder(steps, direction),
      };
    },
    {signal, insist: true},
  );

/** What rows are in the way of an install, and what it would do about them. */
const lookAtRows = async (
  planning: Planning,
  checker: Checker,
  guards: Guard[],
  {clean = false, signal}: GuardPlanOptions,
): Promise<Pick<GuardPlan, 'findings' | 'violations' | 'mends' | 'notes'>> => {
  const asking = {allowScan: planning.allowScan, signal};
  const findings = await findingsInTheWay(checker, guards, asking);
  const hasFindings = Object.keys(findings).length > 0;
  // What is cleaned may be all that is in the way: then it is looked at after that.
  const violations = hasFindings
    ? [
        ...(await undecidedOf(checker, guards, asking)),
        ...(await violationsOf(
          checker,
          guards.filter(({byHand}) => byHand),
          asking,
        )),
      ]
    : await violationsOf(checker, guards, asking);
  const mends = await plannedMends({planning, checker, guards, signal}, clean);
  const notes = [
    ...violations,
    ...mends.map(
      ({action, changes}) =>
        `${action} changes ${counted(changes, 'row')} first, in a run of its own that can be taken back`,
    ),
  ];
  return {findings, violations, mends, notes};
};

/** Rows that an install had begun to mend are no part of what is taken away. */
const cutOffNotes = async (planning: Planning, checker: Checker, server: string): Promise<string[]> =>
  (await cutOffMends(planning, checker))
    .filter(header => isSameServer(header.server, server))
    .map(
      ({run, action}) =>
        `run ${run} (${action}), which mended rows for an install, was cut off: \`sesstui undo ${run}\` takes back what it did, \`sesstui resume ${run}\` finishes it`,
    );

const changesOf = (mends: GuardPlan['mends']): number => mends.reduce((sum, {changes}) => sum + changes, 0);

/** Throws `usage` and `unsupported` (see `chooseGuards`), and what the store throws. */
export const prepareGuards = async (
  planning: Planning,
  check: string,
  direction: GuardDirection,
  options: GuardPlanOptions = {},
): Promise<Prepared> => {
  const checker = planning.find(check);
  const of = options.of === undefined ? null : await readRun(planning.stateDirectory, options.of);
  const {infos, steps, notes, ...seen} = await look(planning, checker, direction, options, of);
  const rows =
    direction === 'install' && steps.length > 0
      ? await lookAtRows(planning, checker, seen.guards, options)
      : {findings: {}, violations: [], mends: [], notes: []};
  if (direction === 'uninstall') notes.push(...(await cutOffNotes(planning, checker, seen.server)));
  if (of && !isSameServer(of.header.server, seen.server))
    throw new SesstuiError(
      'usage',
      `run ${of.header.run} was made on another server (${of.header.server}) than store ${checker.store.name} is now (${seen.server})`,
      'Point the store at that server.',
    );
  const names = seen.guards.map(({name}) => name);
  const plan: GuardPlan = {
    check: checker.id,
    direction,
    guards: names,
    before: infos.filter(({guard}) => names.includes(guard)),
    steps,
    clean: options.clean ?? false,
    ...rows,
    notes: [...notes, ...rows.notes],
    ...(of ? {of: of.header.run} : {}),
    confirmations:
      steps.length === 0
        ? []
        : [
            ...inProduction(
              planning.config,
              changesOf(rows.mends),
              changesOf(rows.mends) > 0 ? seen.estimatedRows : null,
            ),
            ...inAnother(planning.config, of?.header.environment),
          ],
  };
  return {plan, checker, notes, ...seen};
};
