/** From the rows that were chosen to a plan of what would change. */
import type {CheckError, Finding, Plan, RunSummary, Selection} from '../types.js';
import {keyText} from './filter.js';
import type {GuardRequest} from './guards.js';
import {isSame} from './keepers.js';
import {choicesFor, selectionFor, targets} from './marks.js';
import type {Effect, Message} from './messages.js';
import type {Mode, ModeOf, Origin} from './modes.js';
import {currentList} from './places-of-state.js';
import {canResume} from './resumable.js';
import {checkInfo, type State} from './state.js';
import {type Step, say, step} from './step.js';
import {lookAgain} from './update-data.js';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

const browsing: Mode = {name: 'browse'};

/** What lets go of a plan that is given up, and of those that were to follow it. */
export const released = ({plan, origin}: {plan: Plan; origin: Origin}): Effect[] =>
  [plan, ...(origin.unblocks?.rest ?? [])].map(given => ({effect: 'release', plan: given}));

/** Why nothing may be planned on a check now; null when it may. Nothing is planned on data that a store can't renew. */
export const whyNot = (state: State, check: string): string | null => {
  const down = whyDown(state, check);
  if (down !== null) return down;
  const list = state.lists[check]!;
  if (list.error) return `${check} can’t be read, so nothing is planned on it: ${list.error.message}`;
  if (list.answeredAt === null) return `${check} has not answered yet.`;
  return null;
};

/** The same where only the store matters, and not the list of the check. */
export const whyDown = (state: State, check: string): string | null => {
  const {store} = checkInfo(state, check);
  const status = state.stores.find(item => item.store === store);
  return status?.state === 'down' ? `${store} is down, so nothing is planned on it: ${status.text}` : null;
};

/** `x`: the actions that apply to what is chosen. */
export const openMenu = (state: State): Step => {
  const list = currentList(state);
  if (!list) return step(state);
  const refused = whyNot(state, list.check);
  if (refused !== null) return step(say(state, refused, 'bad'));
  const only = state.mode.name === 'details' ? state.mode.id : null;
  return step(menuFor(state, list.check, false, only));
};

const menuFor = (state: State, check: string, withHidden: boolean, only: string | null): State => {
  const list = state.lists[check]!;
  const chosen = targets(list, withHidden, only);
  const choices = choicesFor(checkInfo(state, check), list, chosen);
  if (choices.length === 0 && chosen.hidden === 0) return say(state, whyNoChoice(chosen), 'bad');
  return {
    ...state,
    mode: {
      name: 'menu',
      check,
      choices,
      index: choices.findIndex(choice => !choice.drastic),
      withHidden,
      only,
    },
  };
};

const whyNoChoice = (chosen: ReturnType<typeof targets>): string => {
  if (chosen.gone > 0) return 'What was chosen is gone: nothing to do.';
  return chosen.findings.length === 0
    ? 'There is no row here.'
    : 'No action applies to this: it is for a human to judge.';
};

export const toggleHidden = (state: State): Step => {
  const {mode} = state;
  return step(mode.name === 'menu' ? menuFor(state, mode.check, !mode.withHidden, mode.only) : state);
};

/** The action was chosen: it is planned, after another look where the data is older than a refresh. */
export const chooseAction = (state: State, mode: ModeOf<'menu'>): Step => {
  const choice = mode.choices[mode.index];
  if (!choice) return step(state);
  const list = state.lists[mode.check]!;
  const reading = list.answeredAt === null || state.now - list.answeredAt > state.refreshMs + 1000;
  const ticket = state.ticket + 1;
  const planning: ModeOf<'planning'> = {
    name: 'planning',
    ticket,
    origin: {check: mode.check, action: choice.action, undoes: null, resumes: null},
    withHidden: mode.withHidden,
    only: mode.only,
    reading,
    progress: null,
  };
  const next: State = {...state, ticket, mode: planning};
  return reading ? lookAgain(next, mode.check) : askPlan(next, planning);
};

const keptKeys = (findings: readonly Finding[], {keepers = {}}: Selection): string[] =>
  findings.flatMap(({id, rows}) =>
    rows.filter(row => keepers[id] && isSame(row.identity, keepers[id])).map(row => keyText(row.key)),
  );

const askPlan = (state: State, mode: ModeOf<'planning'>): Step => {
  const {check, action} = mode.origin;
  const list = state.lists[check]!;
  const chosen = targets(list, mode.withHidden, mode.only);
  const none = !chosen.all && !chosen.findings.some(finding => finding.actions.includes(action));
  if (none) return step(say({...state, mode: browsing}, whyNoChoice(chosen), 'bad'));
  const {byId, drastic} = checkInfo(state, check).actions.find(({name}) => name === action) ?? {};
  const selection = selectionFor(list, chosen, action, byId);
  const keeps = drastic ? [] : keptKeys(chosen.findings, selection);
  return step(
    {...state, mode: {...mode, origin: {...mode.origin, keeps}, reading: false}},
    {effect: 'plan', ticket: mode.ticket, check, action, selection},
  );
};

/** The data that a plan waited for has come, or will not. */
export const readAgain = (state: State, check: string): Step => {
  const {mode} = state;
  if (mode.name !== 'planning' || !mode.reading || mode.origin.check !== check) return step(state);
  const list = state.lists[check]!;
  if (list.error) return step(fault(state, 'It can’t be planned now', list.error));
  return list.loading.length > 0 ? step(state) : askPlan(state, mode);
};

/** The run that the cursor is on, or whose details are open. */
const chosenRun = ({mode, runs}: State): RunSummary | undefined => {
  const name = mode.name === 'run-details' ? mode.run.run : runs.run;
  return runs.items?.find(item => item.run === name);
};

/** Asks for a plan that is made without looking at a list first. */
export const planAs = (state: State, origin: Origin, ask: (ticket: number) => Effect): Step => {
  const ticket = state.ticket + 1;
  const mode: Mode = {
    name: 'planning',
    ticket,
    origin,
    withHidden: false,
    only: null,
    reading: false,
    progress: null,
  };
  return step({...state, ticket, mode}, ask(ticket));
};

/** What takes back or goes on with an install or uninstall of guards; null for a run of rows. */
const guardRequest = ({run, check, action}: RunSummary, what: 'undo' | 'resume'): GuardRequest | null => {
  if (action !== 'install-guards' && action !== 'uninstall-guards') return null;
  const isInstall = (action === 'install-guards') === (what === 'resume');
  return {check, direction: isInstall ? 'install' : 'uninstall', guards: null, clean: false, of: {run, what}};
};

export const askGuardPlan = (state: State, request: GuardRequest): Step => {
  const ticket = state.ticket + 1;
  return step(
    {...state, ticket, toast: null, mode: {name: 'guard-planning', ticket, request}},
    {effect: 'plan-guards', ticket, request},
  );
};

/** `u` in the runs. */
export const planUndo = (state: State): Step => {
  const run = chosenRun(state);
  if (!run) return step(state);
  if (run.state === 'undone') return step(say(state, 'This run was taken back already.', 'bad'));
  // Of an interrupted run nobody may have written down what it did.
  if (run.state !== 'interrupted' && run.applied === 0 && run.unknown === 0)
    return step(say(state, 'This run changed nothing.', 'bad'));
  const guards = guardRequest(run, 'undo');
  if (guards) return askGuardPlan(state, guards);
  const origin = {check: run.check, action: 'undo', undoes: run.run, resumes: null};
  return planAs(state, origin, ticket => ({effect: 'plan-undo', ticket, run: run.run}));
};

/** `r` in the runs. */
export const planResume = (state: State): Step => {
  const run = chosenRun(state);
  if (!run) return step(state);
  if (!canResume(run))
    return step(say(state, 'This run came to its end: there is nothing to finish.', 'bad'));
  const guards = guardRequest(run, 'resume');
  if (guards) return askGuardPlan(state, guards);
  const origin = {check: run.check, action: run.action, undoes: null, resumes: run.run};
  return planAs(state, origin, ticket => ({effect: 'plan-resume', ticket, run: run.run}));
};

export const isAwaited = (state: State, ticket: number): state is State & {mode: ModeOf<'planning'>} =>
  state.mode.name === 'planning' && state.mode.ticket === ticket;

export const planned = (state: State, message: Of<'planned'>): Step => {
  if (!isAwaited(state, message.ticket)) return step(state, {effect: 'release', plan: message.plan});
  const {origin} = state.mode;
  return step({...state, mode: {name: 'plan', origin, plan: message.plan, at: state.now, row: 0}});
};

export const planProgress = (state: State, message: Of<'plan-progress'>): Step =>
  step(
    isAwaited(state, message.ticket) ? {...state, mode: {...state.mode, progress: message.progress}} : state,
  );

export const planFailed = (state: State, message: Of<'plan-failed'>): Step =>
  step(isAwaited(state, message.ticket) ? fault(state, 'It could not be planned', message.error) : state);

export const fault = (state: State, title: string, error: CheckError): State => ({
  ...state,
  mode: {name: 'failure', title, error},
});
