/**
 * Posts what is queued: each lane in its order, again with growing pauses while the receiver doesn't take it, and only
 * one process at a time. A message leaves the queue when it was taken, refused or given up, never before: after a crash
 * it is posted again under the same id.
 */
import {setTimeout as pause} from 'node:timers/promises';
import pRetry, {AbortError} from 'p-retry';
import {self} from '../../engine/run/run-lock.js';
import {asSesstuiError, SesstuiError} from '../../errors.js';
import {briefly} from './text.js';
import type {AlertsState, Log, Message} from './types.js';
import type {Webhook} from './webhook.js';
import {heads, isMine, leased, leaseMs, released, without} from './webhook-queue.js';

/** The first pause and the longest, each up to doubled by chance where it is not the longest; then it is given up. */
export type Pauses = {firstMs: number; mostMs: number; giveUpMs: number};
export const usualPauses: Pauses = {firstMs: 1000, mostMs: 300_000, giveUpMs: 3_600_000};

export type Sender = {
  /** There may be something new to post. Returns at once. */
  wake: () => void;
  /** Posts what can be posted within `graceMs`, and returns how many messages stay in the queue. */
  close: (graceMs: number) => Promise<number>;
};

export type SenderOptions = {
  webhook: Webhook;
  read: () => Promise<AlertsState | null>;
  /** Nothing is changed, and null returned, where there is no state yet. */
  update: (change: (before: AlertsState) => AlertsState) => Promise<AlertsState | null>;
  log: Log;
  pauses: Pauses;
  now: () => number;
};

type Outcome = 'over' | 'kept';

const inWords = (ms: number): string =>
  ms >= 60_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1000)} s`;

export const openSender = ({webhook, read, update, log, pauses, now}: SenderOptions): Sender => {
  const me = self();
  const lanes = new Map<string, Promise<void>>();
  /** Lanes whose last message was not taken at once. */
  const failing = new Set<string>();
  const pausing = new AbortController();
  const sending = new AbortController();
  let pumping: Promise<void> | null = null;
  let isAsked = false;
  let isClosing = false;
  let timer: NodeJS.Timeout | undefined;

  const lookAgain = (ms: number): void => {
    clearTimeout(timer);
    if (!isClosing) timer = setTimeout(wake, Math.max(10, ms)).unref();
  };

  const taken = ({lane}: Message): void => {
    if (failing.delete(lane)) log('info', `webhook ${webhook.host} takes messages again`);
  };
  const lost = ({alert}: Message, why: string): void =>
    log('error', `webhook ${webhook.host} ${why}: it was not told ${briefly(alert)}: ${alert.text}`);
  const delayed = ({lane, alert}: Message, why: string): void => {
    if (failing.has(lane)) return;
    failing.add(lane);
    const text = `webhook ${webhook.host}: ${why}; ${briefly(alert)} is sent again with growing pauses, for ${inWords(pauses.giveUpMs)}`;
    log('warn', text);
  };

  /** Another process may have posted it, or it was dropped. */
  const isStillOurs = async ({id}: Message): Promise<boolean> => {
    const state = await read();
    return state !== null && isMine(state, me) && state.queue.some(message => message.id === id);
  };

  const deliver = async (message: Message): Promise<Outcome> => {
    let isOver = false;
    let isGone = false;
    let afterMs: number | null = null;
    try {
      await pRetry(
        async attempt => {
          isGone = attempt > 1 && !(await isStillOurs(message));
          if (isGone) return;
          const answer = await webhook.send(message, now(), sending.signal);
          isOver = answer.kind !== 'later';
          if (answer.kind === 'sent') taken(message);
          if (answer.kind === 'refused') throw new AbortError(new SesstuiError('refused', answer.text));
          if (answer.kind === 'later') {
            ({afterMs} = answer);
            throw new SesstuiError('unreachable', answer.text);
          }
        },
        {
          retries: Number.POSITIVE_INFINITY,
          minTimeout: pauses.firstMs,
          maxTimeout: pauses.mostMs,
          maxRetryTime: pauses.giveUpMs,
          randomize: true,
          unref: true,
          signal: pausing.signal,
          onFailedAttempt: async ({error}) => {
            if (!isClosing) delayed(message, error.message);
            // Not so long that there would be no other attempt.
            const ms = Math.min(afterMs ?? 0, pauses.giveUpMs / 2);
            if (ms > 0) await pause(ms, undefined, {signal: pausing.signal, ref: false});
          },
        },
      );
    } catch (error) {
      const {code, message: why} = asSesstuiError(error);
      // A pause that `close` ended; a message that was taken just then is over all the same.
      if (isClosing && code !== 'refused') return isOver ? 'over' : 'kept';
      if (code === 'refused') failing.delete(message.lane);
      lost(
        message,
        code === 'refused' ? why : `gave no good answer for ${inWords(pauses.giveUpMs)} (${why})`,
      );
      return 'over';
    }
    return isGone ? 'kept' : 'over';
  };

  const work = async (message: Message): Promise<void> => {
    try {
      if ((await deliver(message)) === 'over') await update(state => without(state, message.id));
      lanes.delete(message.lane);
      wake();
    } catch (error) {
      lanes.delete(message.lane);
      log('error', `what was posted could not be kept: ${asSesstuiError(error).message}`);
      lookAgain(leaseMs / 3);
    }
  };

  /** Takes the say where it is free, or gives it back where nothing waits; then starts the lanes that stand still. */
  const pump = async (): Promise<void> => {
    const known = await read();
    if (!known || (known.queue.length === 0 && !isMine(known, me))) return;
    const state = await update(before =>
      before.queue.length > 0 ? leased(before, me, now()) : released(before, me),
    );
    if (!state || state.queue.length === 0 || isClosing) return;
    if (!isMine(state, me)) return lookAgain(state.sender!.untilMs - now());
    for (const [lane, message] of heads(state.queue)) if (!lanes.has(lane)) lanes.set(lane, work(message));
    lookAgain(leaseMs / 3);
  };

  const pumpAll = async (): Promise<void> => {
    do {
      isAsked = false;
      await pump().catch(error => {
        log('error', `the messages for the webhook can not be read: ${asSesstuiError(error).message}`);
        lookAgain(leaseMs / 3);
      });
    } while (isAsked && !isClosing);
    pumping = null;
  };

  const wake = (): void => {
    if (isClosing) return;
    isAsked = true;
    pumping ??= pumpAll();
  };

  /** Each message once more, a lane up to the first that is not taken. */
  const postOnce = async (): Promise<void> => {
    const state = await update(before => leased(before, me, now()));
    if (!state || !isMine(state, me)) return;
    const stopped = new Set<string>();
    for (const message of state.queue) {
      if (stopped.has(message.lane) || sending.signal.aborted) continue;
      const answer = await webhook.send(message, now(), sending.signal);
      if (answer.kind === 'refused') lost(message, answer.text);
      if (answer.kind === 'later') stopped.add(message.lane);
      else await update(before => without(before, message.id));
    }
  };

  const close = async (graceMs: number): Promise<number> => {
    isClosing = true;
    clearTimeout(timer);
    pausing.abort();
    const last = setTimeout(() => sending.abort(), graceMs);
    try {
      await pumping;
      await Promise.all(lanes.values());
      const state = await read();
      if (!state || (state.queue.length === 0 && !isMine(state, me))) return 0;
      if (state.queue.length > 0) await postOnce();
      return (await update(before => released(before, me)))?.queue.length ?? 0;
    } finally {
      clearTimeout(last);
      sending.abort();
    }
  };

  return {wake, close};
};
