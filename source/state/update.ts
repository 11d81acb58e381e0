/** The state machine: `update(state, message)` says what the state is next, and what is to be done. Pure. */
import type {Message} from './messages.js';
import {isAsking} from './modes.js';
import type {State} from './state.js';
import {inTurn, type Step, say, step} from './step.js';
import {customerAnswered, customerFailed, followed, leftCustomer, unblockPlanned} from './update-customer.js';
import {history, historyFailed, loaded, loadFailed, tick, verified} from './update-data.js';
import {
  guardPlanFailed,
  guardProgress,
  guardsPlanned,
  guardsRan,
  guardsRunFailed,
} from './update-guard-plan.js';
import {guardsAnswered, guardsFailed, guardsWatched} from './update-guards.js';
import {planFailed, planned, planProgress, readAgain} from './update-plan.js';
import {pasted, press, resize, seenAgain, terminate} from './update-press.js';
import {progress, ran, runFailed} from './update-run.js';
import {unlocked, unlockFailed, writing} from './update-write.js';

const rangeEnded = (before: State, after: State): boolean =>
  before.lists !== after.lists &&
  Object.values(before.lists).some(list => list.anchor !== null && after.lists[list.check]?.anchor === null);

/** What was said about one place is not left standing at the next. */
const hushed = (before: State, after: State): State =>
  after.toast !== null &&
  after.toast === before.toast &&
  (before.view !== after.view || before.mode.name !== after.mode.name || rangeEnded(before, after))
    ? {...after, toast: null}
    : after;

/** The next state and its effects. */
export const update = (state: State, message: Message): Step => {
  const next = leftCustomer(answer(state, message));
  return {...next, state: hushed(state, next.state)};
};

const answer = (state: State, message: Message): Step => {
  switch (message.type) {
    case 'key':
      return press(state, message);
    case 'paste':
      return pasted(state, message);
    case 'tick':
      return inTurn(inTurn(tick(state, message.now), followed), guardsWatched);
    case 'resize':
      return resize(state, message);
    case 'resumed':
      return seenAgain(state);
    case 'writing':
      return writing(state, message);
    case 'unlocked':
      return unlocked(state, message);
    case 'unlock-failed':
      return unlockFailed(state, message);
    case 'status':
      return step({...state, stores: message.stores});
    case 'loaded':
      return inTurn(loaded(state, message), next => readAgain(next, message.check));
    case 'load-failed':
      return inTurn(loadFailed(state, message), next => readAgain(next, message.check));
    case 'verified':
      return verified(state, message);
    case 'planned':
      return planned(state, message);
    case 'plan-failed':
      return inTurn(planFailed(state, message), next => guardPlanFailed(next, message));
    case 'plan-progress':
      return planProgress(state, message);
    case 'progress':
      return progress(state, message);
    case 'ran':
      return ran(state, message);
    case 'run-failed':
      return runFailed(state, message);
    case 'history':
      return history(state, message);
    case 'history-failed':
      return historyFailed(state, message);
    case 'guards':
      return guardsAnswered(state, message);
    case 'guards-failed':
      return guardsFailed(state, message);
    case 'guards-planned':
      return guardsPlanned(state, message);
    case 'guard-progress':
      return guardProgress(state, message);
    case 'guards-ran':
      return guardsRan(state, message);
    case 'guards-run-failed':
      return guardsRunFailed(state, message);
    case 'armed':
      return step(
        isAsking(state.mode) ? {...state, mode: {...state.mode, armed: true, settling: false}} : state,
      );
    case 'customer':
      return customerAnswered(state, message);
    case 'customer-failed':
      return customerFailed(state, message);
    case 'unblock-planned':
      return unblockPlanned(state, message);
    case 'traffic':
      return step({...state, refusals: message.writes});
    case 'trends':
      return step({...state, trends: message.trends});
    case 'said':
      return step(say(state, message.text, message.tone));
    case 'terminate':
      return terminate(state, message.code);
  }
};
