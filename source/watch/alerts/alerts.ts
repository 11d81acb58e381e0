/**
 * Alerts of the watch: each is a line of the log and, with a webhook, a message to it; each once when it begins and once
 * when it is resolved, over restarts and over all processes that share a state directory. What was decided and what is
 * to be posted are kept in one file before anything is told.
 */
import {asSesstuiError} from '../../errors.js';
import {sanitise} from '../../sanitise.js';
import type {Memory} from '../memory.js';
import type {Round, RoundListener} from '../round.js';
import {foldRuns} from './cancelled.js';
import {type Decision, decide, nothingDecided} from './decide.js';
import {briefly} from './text.js';
import type {Alert, AlertsState, CancellingRun, Level, Log, Message} from './types.js';
import {openWebhook} from './webhook.js';
import {mostMessages, queued} from './webhook-queue.js';
import {openSender, type Pauses, usualPauses} from './webhook-sender.js';

export type {Alert, CancellingRun, Log} from './types.js';

/** What is told already: runs before `started` are not told at all. */
export type Told = {started: string; runs: ReadonlySet<string>};

export type AlertsOptions = {
  memory: Memory;
  environment: string;
  /** The address, a secret as a whole; null: alerts are lines of the log only. */
  webhook: string | null;
  /** SESSTUI_WEBHOOK_SECRET: messages are signed with it. null or empty: they are not. */
  secret: string | null;
  log: Log;
  redact: (text: string) => string;
  /** Runs that cancelled sessions and are not told yet, by what is on disk (see alerts-missed.ts). */
  missed?: (told: Told) => Promise<CancellingRun[]>;
  pauses?: Pauses;
  now?: () => number;
};

export type Alerts = {
  /** Returns when what the round began and ended is on disk; posting goes on behind it. Never throws. */
  round: RoundListener;
  /** Tries for a few seconds to post what waits; the rest is kept for the next start, and told. */
  close(): Promise<void>;
};

const posted = 'alerts';
/** A watch without a webhook, in a terminal beside the service for instance, must not tell in the service's stead. */
const logged = 'alerts-log';
const graceMs = 3000;
/** Rounds that could not be kept yet. */
const mostPending = 1000;

const levels: Record<Alert['alert'], Level> = {
  problems: 'warn',
  'very-stale': 'error',
  'blocked-repeatedly': 'warn',
  'store-down': 'error',
  resolved: 'info',
  'sessions-cancelled': 'info',
};

type Change = (before: AlertsState) => Decision;
type Result = {state: AlertsState; alerts: Alert[]; notes: string[]; dropped: Message[]};

/** Throws `config` for a webhook's address or secret that can't be used. */
export const openAlerts = (options: AlertsOptions): Alerts => {
  const {memory, webhook: address, secret, missed, pauses = usualPauses, now = Date.now} = options;
  const webhook = address === null ? null : openWebhook(address, secret);
  const file = webhook ? posted : logged;
  const log: Log = (level, text) =>
    options.log(level, sanitise(options.redact(webhook ? webhook.hide(text) : text)));

  const fresh = (): AlertsState => ({
    version: 1,
    started: new Date(now()).toISOString(),
    decided: nothingDecided,
    queue: [],
    sender: null,
  });
  const known = (before: AlertsState | null): AlertsState => (before?.version === 1 ? before : fresh());

  const apply = (before: AlertsState, change: Change): Result => {
    const {memory: decided, alerts, notes} = change(before);
    const redacted = alerts.map(alert => ({...alert, text: options.redact(alert.text)}));
    const {queue, dropped} = webhook
      ? queued(before.queue, redacted, now())
      : {queue: before.queue, dropped: []};
    return {state: {...before, decided, queue}, alerts: redacted, notes, dropped};
  };

  const tell = ({alerts, notes, dropped}: Result): void => {
    for (const {alert, text} of alerts) log(levels[alert], text);
    for (const note of notes) log('warn', note);
    for (const {alert} of dropped)
      log(
        'error',
        `more than ${mostMessages} messages (or 8 MB) wait for the webhook: the oldest was dropped: ${briefly(alert)}: ${alert.text}`,
      );
  };

  /** Keeps what the change makes, tells it, and has it posted. Writes nothing where nothing changes. */
  const keep = async (change: Change): Promise<void> => {
    const read = await memory.read<AlertsState>(file);
    const before = known(read);
    const trial = apply(before, change);
    const isSame = trial.alerts.length === 0 && JSON.stringify(trial.state) === JSON.stringify(read);
    if (isSame) return;
    let result = trial;
    await memory.update<AlertsState>(file, current => {
      result = apply(known(current), change);
      return result.state;
    });
    tell(result);
    if (result.alerts.length > 0) sender?.wake();
  };

  const sender =
    webhook &&
    openSender({
      webhook,
      read: async () => known(await memory.read<AlertsState>(file)),
      update: change => memory.update<AlertsState>(file, before => change(known(before))),
      log,
      pauses,
      now,
    });

  const pending: Round[] = [];
  let isUnkept = false;
  const settle = async (): Promise<void> => {
    const rounds = pending.splice(0);
    if (rounds.length === 0) return;
    const nowMs = now();
    try {
      await keep(({decided}) =>
        rounds.reduce<Decision>(
          (sum, round) => {
            const {memory: after, alerts, notes} = decide(sum.memory, round, nowMs);
            return {memory: after, alerts: [...sum.alerts, ...alerts], notes: [...sum.notes, ...notes]};
          },
          {memory: decided, alerts: [], notes: []},
        ),
      );
      isUnkept = false;
    } catch (error) {
      pending.unshift(...rounds);
      pending.splice(0, pending.length - mostPending);
      if (!isUnkept)
        log('error', `alerts can not be kept: ${asSesstuiError(error).message}; the next look tries again`);
      isUnkept = true;
    }
  };

  let looking: Promise<void> | null = null;
  /** Runs that were made without a round that told of them: before a crash, by hand, over HTTP. */
  const lookForMissed = async (): Promise<void> => {
    const {started, decided} = known(await memory.read<AlertsState>(file));
    const runs = await missed!({started, runs: new Set(decided.runs.map(([run]) => run))});
    for (const run of runs) {
      const key = {store: run.store, check: run.check, environment: options.environment};
      await keep(before => {
        const folded = foldRuns(before.decided, key, [run], now());
        return {memory: folded.decided, alerts: folded.alerts, notes: folded.notes};
      });
    }
  };
  const lookBehind = (): void => {
    if (!missed || looking) return;
    looking = lookForMissed()
      .catch(error => log('error', `runs could not be looked through: ${asSesstuiError(error).message}`))
      .finally(() => {
        looking = null;
      });
  };

  const begin = async (): Promise<void> => {
    await keep(({decided}) => ({memory: decided, alerts: [], notes: []}));
    const waiting = sender ? 0 : known(await memory.read<AlertsState>(posted)).queue.length;
    if (waiting > 0) log('warn', `${waiting} messages of before wait for a webhook, and none is given here`);
    sender?.wake();
    lookBehind();
  };
  for (const warning of webhook?.warnings ?? []) log('warn', warning);
  const begun = begin().catch(error =>
    log('error', `alerts can not be kept: ${asSesstuiError(error).message}; the next look tries again`),
  );

  return {
    round: async round => {
      await begun;
      pending.push(round);
      await settle();
      lookBehind();
    },
    close: async () => {
      await begun;
      await settle();
      await looking;
      const left = await sender?.close(graceMs).catch(error => {
        log('error', `what waits for the webhook can not be kept: ${asSesstuiError(error).message}`);
        return 0;
      });
      if (left) log('warn', `${left} messages were not posted yet: they are kept for the next start`);
    },
  };
};
