/** The terminal UI: holds the state, draws it, runs its effects and timers, and leaves the terminal as it was. */
import {asSesstuiError} from './errors.js';
import type {FaultyWrites} from './faulty-writes.js';
import type {Effect, Message} from './state/messages.js';
import {initialState, type State} from './state/state.js';
import {update} from './state/update.js';
import {createEffects, type UiEngine} from './ui/effects.js';
import {HeldInput} from './ui/input.js';
import {Painter} from './ui/painter.js';
import {createTerminal} from './ui/terminal.js';

export type {UiEngine} from './ui/effects.js';
export {isTerminal} from './ui/terminal.js';

export type UiOptions = {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream & {readonly fd: number};
  color: boolean;
  /** Sentences about parts of the demo that stand in for the real ones; null outside the demo. */
  demo: string[] | null;
  /** Gives what became of the demo's faulty writes, whenever that changes. */
  onTraffic?: (listener: (writes: Record<string, FaultyWrites>) => void) => void;
};

const signals = {SIGINT: 130, SIGTERM: 143, SIGHUP: 129} as const;
const TICK_MS = 1000;

/** Holds the state; several changes in one turn of the event loop are one notice to the listeners. */
const createStore = (
  first: State,
  onEffect: (effect: Effect) => void,
  onFault: (thrown: unknown) => void,
) => {
  let state = first;
  let noticed = true;
  const listeners = new Set<() => void>();
  const notify = (): void => {
    noticed = true;
    for (const listener of listeners) listener();
  };
  return {
    get: (): State => state,
    subscribe: (listener: () => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    send: (message: Message): void => {
      try {
        const next = update(state, message);
        state = next.state;
        if (noticed) {
          noticed = false;
          setImmediate(notify);
        }
        for (const effect of next.effects) onEffect(effect);
      } catch (thrown) {
        onFault(thrown);
      }
    },
  };
};

/**
 * Opens the screen on an engine and stays until the user leaves. Returns the exit code: 0 after `q`, 130 after
 * Ctrl-C, 128 and the signal's number after a signal. The engine stays open: whoever opened it closes it. Throws a
 * `SesstuiError` for a fault of the screen itself; the terminal is as it was found by then.
 */
export const openUi = async (engine: UiEngine, options: UiOptions): Promise<number> => {
  const {stdin, stdout} = options;
  // Development builds of React measure every render and keep the measurements: slower, and never freed.
  process.env.NODE_ENV ??= 'production';
  // Ink and React are loaded here and not above, so that importing this file costs nothing.
  const [{render}, {createElement}, {App}] = await Promise.all([
    import('ink'),
    import('react'),
    import('../views/app.js'),
  ]);
  const terminal = createTerminal(stdout);
  const painter = new Painter(stdout);
  const input = new HeldInput(stdin);
  let finish: (end: {code: number} | {fault: unknown}) => void = () => {};
  const ended = new Promise<{code: number} | {fault: unknown}>(resolve => {
    finish = resolve;
  });

  const size = () => ({columns: painter.columns, rows: painter.rows});
  const first = initialState(engine, engine.status(), {
    color: options.color,
    standIns: options.demo,
    canCustomer: engine.customer !== undefined && engine.planUnblock !== undefined,
    now: Date.now(),
    size: size(),
  });
  const store = createStore(
    first,
    effect => effects.run(effect),
    fault => finish({fault}),
  );
  const resume = (): void => {
    clearTimeout(resuming);
    terminal.enter();
    input.setRawMode(true);
    painter.forget();
    store.send({type: 'resize', ...size()});
    store.send({type: 'resumed'});
  };
  let resuming: NodeJS.Timeout | undefined;
  const suspend = (): void => {
    input.setRawMode(false);
    terminal.leave();
    // Goes on after SIGCONT; where the process can't be stopped (no job control), after a moment.
    resuming = setTimeout(resume, 300);
    process.kill(0, 'SIGTSTP');
  };
  const effects = createEffects(engine, {
    send: store.send,
    control: sequence => painter.send(sequence),
    afterPaint: listener => painter.afterPaint(listener),
    suspend,
    quit: code => finish({code}),
  });

  const onResize = (): void => {
    painter.forget();
    store.send({type: 'resize', ...size()});
  };
  const onGone = (): void => store.send({type: 'terminate', code: signals.SIGHUP});
  const handlers = Object.entries(signals).map(([signal, code]) => {
    const handler = (): void => store.send({type: 'terminate', code});
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  process.on('SIGCONT', resume);
  stdout.on('resize', onResize);
  stdout.on('error', onGone);
  stdin.on('end', onGone);
  stdin.on('error', onGone);
  options.onTraffic?.(writes => store.send({type: 'traffic', writes}));
  const stopStatus = engine.onStatus(stores => store.send({type: 'status', stores}));

  terminal.enter();
  const app = render(createElement(App, {store}), {
    stdout: painter as unknown as NodeJS.WriteStream,
    stdin: input as unknown as NodeJS.ReadStream,
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  // A throw while drawing ends Ink by itself.
  app.waitUntilExit().catch((fault: unknown) => finish({fault}));
  const tick = (): void => {
    const now = Date.now();
    const ms = engine.writableForMs();
    store.send({type: 'writing', readOnlyBy: engine.readOnlyBy, until: ms > 0 ? now + ms : null});
    const trends = Object.fromEntries(engine.checks.map(({id}) => [id, engine.trend(id)]));
    store.send({type: 'trends', trends});
    store.send({type: 'tick', now});
  };
  const ticking = setInterval(tick, TICK_MS);
  tick();

  const end = await ended;
  clearInterval(ticking);
  effects.stop();
  stopStatus();
  painter.stop();
  app.unmount();
  input.release();
  for (const off of handlers) off();
  process.off('SIGCONT', resume);
  stdout.off('resize', onResize);
  stdin.off('end', onGone);
  stdin.off('error', onGone);
  terminal.dispose();
  if ('fault' in end) throw asSesstuiError(end.fault);
  return end.code;
};
