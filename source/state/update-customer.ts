/** The customer that is open: asking about it, what the stores answer, following it, unblocking it, leaving it. */
import {incidentMarkdown} from '../incident.js';
import {shellWord} from '../shell-word.js';
import type {Finding, RunResult} from '../types.js';
import type {Json} from '../values.js';
import {afterAnswer, afterPart, type Customer, newCustomer} from './customer.js';
import {keyText, plainText} from './filter.js';
import type {Message} from './messages.js';
import type {ModeOf, Origin} from './modes.js';
import {currentList, home} from './places-of-state.js';
import {findingOf, underCursor} from './shown.js';
import type {State} from './state.js';
import {type Step, say, step} from './step.js';
import {fault, isAwaited, planAs, released} from './update-plan.js';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

/** The finding that a customer may be asked for: of the details that are open, else of the row under the cursor. */
const findingHere = (state: State): Finding | undefined => {
  const {mode} = state;
  if (mode.name === 'details') return findingOf(state.lists[mode.check]!, mode.id);
  const list = currentList(state);
  return list && underCursor(list)?.finding;
};

const firstText = (group: Json): string => plainText(Array.isArray(group) ? group[0] : group);

/** `c`: asks for whom, and offers the one of the finding here; of a finding without a group its row's key finds it. */
export const promptCustomer = (state: State): Step => {
  const finding = state.customer === null ? findingHere(state) : undefined;
  const key = finding?.rows[0] && keyText(finding.rows[0].key);
  const offered = finding ? firstText(finding.group).trim() || (key ?? '') : '';
  return step({...state, mode: {name: 'prompt', text: '', offered}});
};

/** Opens a customer; the one before is forgotten. */
export const openCustomer = (state: State, id: string): Step => {
  const question = state.ticket + 1;
  const customer = newCustomer(id, question, state.now);
  return step(
    {...state, ticket: question, customer, mode: {name: 'customer'}},
    {effect: 'customer', question, id},
  );
};

/** Asks again, whatever is under way: an answer to a question from before a run tells of the time before it. */
export const askCustomer = (state: State): Step => {
  const {customer} = state;
  if (customer === null) return step(state);
  const question = state.ticket + 1;
  const asked: Customer = {...customer, question, looking: true, askedAt: state.now};
  return step({...state, ticket: question, customer: asked}, {effect: 'customer', question, id: customer.id});
};

/** `R` */
export const lookAtCustomer = (state: State): Step => {
  const {customer} = state;
  if (!customer?.looking) return askCustomer(state);
  const awaited = customer.waiting.join(', ') || 'every store';
  return step(say(state, `Still looking: ${awaited} has not answered yet.`));
};

/** `w` */
export const follow = (state: State): Step => {
  const {customer} = state;
  if (customer === null) return step(state);
  const next: State = {...state, customer: {...customer, following: !customer.following}};
  if (customer.following) return step(say(next, 'Not followed any more; R looks again.'));
  return step(say(next, `Followed: looks again every ${state.refreshMs / 1000} s, w ends it.`));
};

/** Time went on: who is followed is looked at again when it is due. */
export const followed = (state: State): Step => {
  const {customer} = state;
  const isDue =
    customer?.following === true && !customer.looking && state.now - customer.askedAt >= state.refreshMs;
  return isDue ? askCustomer(state) : step(state);
};

/** Stores have answered. What answers a question that nobody waits for is thrown away. */
export const customerAnswered = (state: State, message: Of<'customer'>): Step => {
  const {customer} = state;
  if (customer?.question !== message.question || !customer.looking) return step(state);
  const now = Math.max(state.now, message.now);
  const {report, whole} = message;
  if (!whole) return step({...state, now, customer: afterPart(customer, report)});
  return readForUnblocking({...state, now, customer: afterAnswer(customer, report, now)});
};

export const customerFailed = (state: State, {question, error, now}: Of<'customer-failed'>): Step => {
  const {customer} = state;
  if (customer?.question !== question || !customer.looking) return step(state);
  const failed: Customer = {...customer, looking: false, waiting: [], error};
  const next: State = {...state, now: Math.max(state.now, now), customer: failed};
  const {mode} = next;
  const isPlanning = mode.name === 'planning' && mode.origin.unblocks !== undefined && mode.reading;
  return step(isPlanning ? fault(next, 'It can’t be planned now', error) : next);
};

const originOf = (check: string, customer: string): Origin => ({
  check,
  action: 'cancel',
  undoes: null,
  resumes: null,
  unblocks: {customer, rest: []},
});

/** `x`: the smallest plans that unblock; what is older than a refresh is looked at again first. */
export const planUnblock = (state: State): Step => {
  const {customer} = state;
  const report = customer?.report;
  if (!customer || !report) return step(say(state, 'No store has answered yet.'));
  const isOld = customer.answeredAt === null || state.now - customer.answeredAt > state.refreshMs + 1000;
  const origin = originOf(report.blockedBy[0]?.check ?? '', customer.id);
  const {state: next, effects} = planAs(state, origin, ticket => ({effect: 'plan-unblock', ticket, report}));
  if (!isOld || next.mode.name !== 'planning') return step(next, ...effects);
  const reading: State = {...next, mode: {...next.mode, reading: true}};
  return customer.looking ? step(reading) : askCustomer(reading);
};

const readForUnblocking = (state: State): Step => {
  const {mode, customer} = state;
  if (mode.name !== 'planning' || !mode.reading || !mode.origin.unblocks || !customer?.report)
    return step(state);
  return step(
    {...state, mode: {...mode, reading: false}},
    {effect: 'plan-unblock', ticket: mode.ticket, report: customer.report},
  );
};

const nothingToPlan = ({customer}: State): string => {
  const report = customer?.report;
  const failed = [...new Set(report?.errors.map(({check}) => check))].join(', ');
  if (!report?.blocked && failed !== '')
    return `Nothing is known to block this customer, but ${failed} could not be asked.`;
  if (!report?.blocked) return 'Nothing blocks this customer: there is nothing to cancel.';
  return 'What blocks this customer is not stale: nothing here cancels it.';
};

/** The plans that unblock have come: the first is shown, the others follow it. */
export const unblockPlanned = (state: State, {ticket, plans}: Of<'unblock-planned'>): Step => {
  const [plan, ...rest] = plans;
  if (!isAwaited(state, ticket) || !state.customer)
    return step(state, ...plans.map(given => ({effect: 'release' as const, plan: given})));
  if (!plan) return step(say({...state, mode: home(state)}, nothingToPlan(state)));
  const origin: Origin = {...originOf(plan.check, state.customer.id), action: plan.action};
  const unblocks = {customer: state.customer.id, rest};
  const {customer} = state;
  const before = customer.done.length === 0 ? customer.report : customer.before;
  return step({
    ...state,
    customer: {...customer, before},
    mode: {name: 'plan', origin: {...origin, unblocks}, plan, at: state.now, row: 0},
  });
};

/** The results were read: the next plan comes, unless the customer is free by now or the run has not ended well. */
export const afterResults = (state: State, mode: ModeOf<'results'>): Step => {
  const [plan, ...rest] = mode.origin.unblocks?.rest ?? [];
  const left: State = {...state, mode: home(state)};
  if (!plan || !state.customer) return step(left);
  const {looking, report} = state.customer;
  const isFree = !looking && report?.blocked === false;
  const {interrupted, failed, unknown} = mode.result;
  if (isFree || interrupted || failed + unknown > 0)
    return step(left, ...released({plan, origin: {...mode.origin, unblocks: {customer: '', rest}}}));
  const unblocks = {customer: state.customer.id, rest};
  const origin: Origin = {...mode.origin, check: plan.check, action: plan.action, unblocks};
  return step({...state, mode: {name: 'plan', origin, plan, at: mode.at, row: 0}});
};

/** The state that remembers a run that was made for the customer. */
export const withRun = (state: State, result: RunResult): State =>
  state.customer === null
    ? state
    : {...state, customer: {...state.customer, done: [...state.customer.done, result]}};

/** `y`: the report for the incident, with what was done here. */
export const copyIncident = (state: State): Step => {
  const {customer} = state;
  if (!customer?.report) return step(say(state, 'No store has answered yet.'));
  const {report, done, before} = customer;
  const {production, environment} = state;
  const confirmed = production ? ` --confirm ${shellWord(environment)}` : '';
  const text = incidentMarkdown(report, [...done], {
    ...(done.length > 0 && before ? {before} : {}),
    undo: ({run}) => `sesstui undo ${run} --yes${confirmed}`,
  });
  return step(state, {effect: 'copy', text, what: 'the incident as Markdown'});
};

/** Whoever browses has left the customer: what was asked about it is given up. */
export const leftCustomer = ({state, effects}: Step): Step =>
  state.customer !== null && state.mode.name === 'browse'
    ? step({...state, customer: null}, ...effects, {effect: 'leave-customer'})
    : {state, effects};
