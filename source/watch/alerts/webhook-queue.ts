/** The messages that wait, as part of what is kept: bounded, and posted by one process at a time. Pure. */
import {randomUUID} from 'node:crypto';
import {lifeOf, type Owner} from '../../engine/run/run-lock.js';
import type {Alert, AlertsState, Message} from './types.js';

export const mostMessages = 1000;
/** Of all messages together; what is kept is written whole at each change. */
const mostCharacters = 8_000_000;
/** How long a process that gives no sign of life keeps the say. */
export const leaseMs = 30_000;

/** A run's messages keep their ids, wherever the run was found: a receiver that knows one has seen it. */
const idOf = ({run, count, part}: Alert): string =>
  run === undefined ? randomUUID() : `${run}.${count}.${part ?? 1}`;

const sizeOf = (messages: Message[]): number =>
  messages.reduce((sum, {alert}) => sum + 500 + (alert.customers ?? []).join().length, 0);

/** With these alerts at the end; the oldest are dropped where there are too many. */
export const queued = (
  queue: Message[],
  alerts: Alert[],
  nowMs: number,
): {queue: Message[]; dropped: Message[]} => {
  const queuedAt = new Date(nowMs).toISOString();
  const all = [
    ...queue,
    ...alerts.map(alert => ({id: idOf(alert), lane: alert.check ?? alert.store, queuedAt, alert})),
  ];
  let from = Math.max(0, all.length - mostMessages);
  let size = sizeOf(all.slice(from));
  while (size > mostCharacters && from < all.length - 1) size -= sizeOf([all[from++]!]);
  return {queue: all.slice(from), dropped: all.slice(0, from)};
};

const isFree = ({sender}: AlertsState, me: Owner, nowMs: number): boolean =>
  sender === null ||
  sender.owner.token === me.token ||
  sender.untilMs <= nowMs ||
  lifeOf(sender.owner) === 'dead';

/** Takes or keeps the say, where nobody else who lives has it. */
export const leased = (state: AlertsState, me: Owner, nowMs: number): AlertsState =>
  isFree(state, me, nowMs) ? {...state, sender: {owner: me, untilMs: nowMs + leaseMs}} : state;

export const isMine = ({sender}: AlertsState, me: Owner): boolean => sender?.owner.token === me.token;

/** Without the say, where it was ours. */
export const released = (state: AlertsState, me: Owner): AlertsState =>
  isMine(state, me) ? {...state, sender: null} : state;

export const without = (state: AlertsState, id: string): AlertsState => ({
  ...state,
  queue: state.queue.filter(message => message.id !== id),
});

/** The first message of each lane. */
export const heads = (queue: Message[]): Map<string, Message> => {
  const first = new Map<string, Message>();
  for (const message of queue) if (!first.has(message.lane)) first.set(message.lane, message);
  return first;
};
