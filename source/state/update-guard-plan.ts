/** An install or uninstall of guards: its plan, the dialog that asks, the run, and what came of it. */
import type {GuardInfo} from '../guards.js';
import {type Field, missing, missingText} from './asking.js';
import {countFindings, type GuardRequest, guardHere, guardName} from './guards.js';
import type {Message} from './messages.js';
import type {Mode, ModeOf} from './modes.js';
import {home} from './places-of-state.js';
import {readOnlyText} from './read-only.js';
import type {State} from './state.js';
import {inTurn, type Step, say, step} from './step.js';
import {askHistory, lookAgain} from './update-data.js';
import {askGuards} from './update-guards.js';
import {askGuardPlan, fault, whyDown} from './update-plan.js';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

/** Why nothing can be planned for a guard; null where it can. */
const whyNone = (state: State, guard: GuardInfo): string | null => {
  const down = whyDown(state, guard.check);
  if (down !== null) return down;
  if (guard.error)
    return `${guard.check} could not be asked, so nothing is planned on it: ${guard.error.message}`;
  return guard.state === 'unavailable'
    ? `${guard.guard} can’t be had here: ${guard.why ?? 'no reason is known'}`
    : null;
};

const planFor = (state: State, direction: GuardRequest['direction']): Step => {
  const guard = guardHere(state);
  if (!guard) return step(state);
  const refused = whyNone(state, guard);
  if (refused !== null) return step(say(state, refused, 'bad'));
  return askGuardPlan(state, {check: guard.check, direction, guards: [guard.guard], clean: false});
};

/** `x`: what is installed is taken away, anything else is installed. */
export const planGuard = (state: State): Step =>
  planFor(state, guardHere(state)?.state === 'installed' ? 'uninstall' : 'install');

/** One that drifted can be taken away, too. */
export const planGuardAway = (state: State): Step => {
  const guard = guardHere(state);
  return guard?.state === 'missing'
    ? step(say(state, `${guard.guard} is not there: nothing to take away.`))
    : planFor(state, 'uninstall');
};

/** `X`: every guard of the check that is not opt-in. */
export const planAllGuards = (state: State): Step => {
  const guard = guardHere(state);
  if (!guard) return step(state);
  const down = whyDown(state, guard.check);
  if (down !== null) return step(say(state, down, 'bad'));
  return askGuardPlan(state, {check: guard.check, direction: 'install', guards: null, clean: false});
};

/** `c` on the plan: with what is in the way cleaned in the same go, or without. Planned anew, for it is another plan. */
export const toggleCleaning = (state: State): Step => {
  const {mode} = state;
  if (mode.name !== 'guard-plan') return step(state);
  const {request, plan} = mode;
  if (!request.clean && countFindings(plan) === 0)
    return step(say(state, 'Nothing is in the way: there is nothing to clean.'));
  const {of: _, ...again} = request;
  return askGuardPlan(state, {...again, guards: plan.guards, clean: !request.clean});
};

export const guardsPlanned = (state: State, {ticket, plan}: Of<'guards-planned'>): Step => {
  const {mode} = state;
  if (mode.name !== 'guard-planning' || mode.ticket !== ticket) return step(state);
  return step({...state, mode: {name: 'guard-plan', request: mode.request, plan, at: state.now, top: 0}});
};

export const guardPlanFailed = (state: State, {ticket, error}: Of<'plan-failed'>): Step => {
  const {mode} = state;
  if (mode.name !== 'guard-planning' || mode.ticket !== ticket) return step(state);
  return step(fault(state, 'It could not be planned', error));
};

/** Why the plan can't be carried out as it is; null where it can. */
const whyNotRun = (state: State, {plan, request}: ModeOf<'guard-plan'>): string | null => {
  if (state.readOnlyBy !== null) return readOnlyText(state.readOnlyBy);
  const findings = countFindings(plan);
  if (plan.violations.length > 0) return `Somebody has to decide first: ${plan.violations.join('; ')}.`;
  if (plan.steps.length === 0 && (findings === 0 || !request.clean))
    return findings === 0 ? 'There is nothing to do: it is as it should be.' : 'There is nothing to do.';
  if (findings > 0 && !plan.clean)
    return `${findings} ${findings === 1 ? 'finding is' : 'findings are'} in the way: c cleans them in the same go.`;
  return whyDown(state, request.check);
};

/** `x` on the plan: the dialog that asks. Nothing is typed into it before it has been seen. */
export const openGuardConfirm = (state: State): Step => {
  const {mode} = state;
  if (mode.name !== 'guard-plan') return step(state);
  const refused = whyNotRun(state, mode);
  if (refused !== null) return step(say(state, refused, 'bad'));
  const fields: Field[] = [
    ...mode.plan.confirmations.map(({expected, why}) => ({kind: 'exact' as const, expected, why, text: ''})),
    ...(state.production ? [{kind: 'note' as const, text: ''}] : []),
  ];
  return step(
    {...state, toast: null, mode: {name: 'guard-confirm', from: mode, fields, focus: 'cancel', armed: false}},
    {effect: 'arm'},
  );
};

/** Enter on a button of that dialog. */
export const pressGuards = (state: State, mode: ModeOf<'guard-confirm'>): Step => {
  if (mode.focus === 'cancel')
    return step(say({...state, mode: home(state)}, 'Cancelled: nothing was changed.'));
  const {from, fields} = mode;
  // Read-only may have come back, or the store gone down, while the dialog was open.
  const refused = whyNotRun(state, from);
  if (refused !== null) return step(say(state, refused, 'bad'));
  const first = missing(mode)[0];
  if (first !== undefined) return step(say(state, missingText(fields[first]!), 'bad'));
  const {request, plan} = from;
  const running: Mode = {
    name: 'guard-running',
    request,
    plan,
    progress: null,
    step: -1,
    since: state.now,
    stopping: false,
    leaveWith: null,
  };
  const note = fields.find(field => field.kind === 'note')?.text.trim();
  const confirmed = fields.filter(field => field.kind === 'exact').map(field => field.text);
  return step(
    {...state, toast: null, mode: running},
    {effect: 'run-guards', plan, confirmed, ...(note === undefined ? {} : {note})},
  );
};

/** What mends rows between the steps is none of the plan's steps: the place in the list stays then. */
export const guardProgress = (state: State, {progress}: Of<'guard-progress'>): Step => {
  const {mode} = state;
  if (mode.name !== 'guard-running') return step(state);
  const found = mode.plan.steps.findIndex(
    item => item.guard === progress.guard && item.name === progress.step,
  );
  return step({...state, mode: {...mode, progress, step: found < 0 ? mode.step : found}});
};

/** The guards are read again, and the check and the runs looked at: rows may have been mended. */
const ended = (state: State, mode: ModeOf<'guard-running'>, next: Mode): Step => {
  if (mode.leaveWith !== null) return step(state, {effect: 'quit', code: mode.leaveWith});
  const read = askGuards({...state, mode: next});
  return inTurn(
    inTurn(read, later => lookAgain(later, mode.request.check)),
    askHistory,
  );
};

export const guardsRan = (state: State, {result}: Of<'guards-ran'>): Step => {
  const {mode, guards} = state;
  if (mode.name !== 'guard-running') return step(state);
  const known = new Map(result.guards.map(item => [guardName(item), item]));
  const items = guards.items?.map(item => known.get(guardName(item)) ?? item) ?? null;
  return ended({...state, guards: {...guards, items}}, mode, {
    name: 'guard-results',
    request: mode.request,
    result,
    top: 0,
  });
};

export const guardsRunFailed = (state: State, {error}: Of<'guards-run-failed'>): Step => {
  const {mode} = state;
  if (mode.name !== 'guard-running') return step(state);
  const title = `The ${mode.request.direction} could not be carried out`;
  return ended(state, mode, {name: 'failure', title, error});
};
