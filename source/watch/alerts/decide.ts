/**
 * Which alerts a round begins and ends. Pure: what is remembered, the round and the time in; what is remembered and the
 * alerts out.
 *
 * `problems` and `very-stale` begin with the first look that finds them. After a cleaning a second look has to find
 * them too: what came up while it was cleaning is taken by the next one. `store-down` begins with the second look in a
 * row that can't reach the store. Each ends with the second look in a row without it. A look that ended in an error
 * says nothing of the findings: it neither begins nor ends them.
 */
import {checkOf} from '../../checks/index.js';
import type {Look, Round} from '../round.js';
import {foldRuns} from './cancelled.js';
import {type Seen, step} from './conditions.js';
import {problemsText, resolvedText, storeDownText, veryStaleText} from './text.js';
import type {Alert, CancellingRun, Decided} from './types.js';

export const nothingDecided: Decided = {conditions: {}, cancelled: {}, runs: []};

type Observation = Seen & {key: string; check: string | null; count: number; text: string};

/** Findings that are a problem, by reason: those of severity info are not. */
const problemsIn = (look: Look): {count: number; byReason: [reason: string, count: number][]} => {
  if (look.status !== 'fail') return {count: 0, byReason: []};
  const byReason = checkOf(look.kind)
    .reasons.filter(({name, severity}) => severity !== 'info' && (look.byReason[name] ?? 0) > 0)
    .map(({name}): [string, number] => [name, look.byReason[name]!]);
  const found = byReason.reduce((sum, [, count]) => sum + count, 0);
  // A finding counts for each of its reasons.
  return {count: Math.max(1, Math.min(look.total, found)), byReason};
};

const isUnreachable = ({look, stores}: Round): boolean =>
  look.status === 'error' &&
  (look.error?.code === 'unreachable' ||
    stores.some(({store, state}) => store === look.store && state === 'down'));

/** Of a store with several checks the one that failed first is counted: its looks are an interval apart. */
const storeSeen = (round: Round, before: Decided): Observation[] => {
  const {environment, look} = round;
  const key = `${environment}/store-down/${look.store}`;
  const isDown = isUnreachable(round);
  if (look.status === 'error' && !isDown) return [];
  const known = before.conditions[key];
  if (isDown && known?.by !== undefined && known.by !== look.check && known.bad > 0) return [];
  return [
    {
      key,
      alert: 'store-down',
      isBad: isDown,
      at: look.at,
      needed: 2,
      check: null,
      count: 2,
      text: storeDownText(environment, look),
      by: look.check,
    },
  ];
};

const findingsSeen = (round: Round): Observation[] => {
  const {environment, look, runs} = round;
  if (look.status === 'error') return [];
  const needed = runs.some(({applied, dryRun}) => !dryRun && applied > 0) ? 2 : 1;
  const common = {at: look.at, needed, check: look.check};
  const problems = problemsIn(look);
  const seen: Observation[] = [
    {
      ...common,
      key: `${environment}/problems/${look.check}`,
      alert: 'problems',
      isBad: problems.count > 0,
      count: problems.count,
      text: problemsText(environment, look.check, problems),
    },
  ];
  if (look.kind !== 'stale-sessions') return seen;
  const veryStale = look.byReason['very-stale-waiting'] ?? 0;
  return [
    ...seen,
    {
      ...common,
      key: `${environment}/very-stale/${look.check}`,
      alert: 'very-stale',
      isBad: veryStale > 0,
      count: veryStale,
      text: veryStaleText(environment, look, veryStale),
    },
  ];
};

const alertOf = (
  {environment, look}: Round,
  {alert, check, count, text}: Observation,
  event: {name: 'begun' | 'resolved'; since: string},
): Alert => {
  const common = {environment, store: look.store, check, since: event.since};
  return event.name === 'begun'
    ? {alert, ...common, count, text}
    : {
        alert: 'resolved',
        ...common,
        count: 0,
        text: resolvedText(environment, check ?? look.store, alert, event.since),
        of: alert,
      };
};

/** The runs of a round that cancelled something. */
const cancellingRuns = ({look, runs, customers}: Round): CancellingRun[] =>
  look.kind !== 'stale-sessions'
    ? []
    : runs.flatMap(({run, dryRun, action, applied}) =>
        run === null || dryRun || action !== 'cancel' || applied === 0
          ? []
          : [
              {
                run,
                at: look.at,
                store: look.store,
                check: look.check,
                applied,
                customers: Object.hasOwn(customers, run) ? customers[run]! : [],
              },
            ],
      );

export type Decision = {memory: Decided; alerts: Alert[]; notes: string[]};

/** What the round changes in what is remembered, the alerts to tell now, and what is left out for its size. */
export const decide = (memory: Decided | null, round: Round, nowMs: number): Decision => {
  const before = memory ?? nothingDecided;
  const conditions = {...before.conditions};
  const alerts: Alert[] = [];
  for (const observation of [...storeSeen(round, before), ...findingsSeen(round)]) {
    const {condition, event} = step(conditions[observation.key] ?? null, observation);
    if (condition) conditions[observation.key] = condition;
    else delete conditions[observation.key];
    if (event) alerts.push(alertOf(round, observation, event));
  }
  const {environment, look} = round;
  const folded = foldRuns(
    {...before, conditions},
    {environment, store: look.store, check: look.check},
    cancellingRuns(round),
    nowMs,
  );
  return {memory: folded.decided, alerts: [...alerts, ...folded.alerts], notes: folded.notes};
};
