/** What a command gets: its flags, where to write, and the engine when it asks for one. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {environmentSecrets} from '../config/environment.js';
import type {LoadedConfig} from '../config/load.js';
import type {FullEngine} from '../engine/engine.js';
import type {FaultyWrites} from '../faulty-writes.js';
import {writeOut} from '../output/write-out.js';
import {createRedactor} from '../redact.js';
import {sanitise} from '../sanitise.js';
import type {Flags, Output, Parsed} from './parse.js';

export type Context = {
  words: string[];
  flags: Flags;
  output: Output;
  /** Columns of the terminal; null when standard output is not one. */
  width: number | null;
  color: boolean;
  signal: AbortSignal;
  engine: () => Promise<FullEngine>;
  config: () => Promise<LoadedConfig>;
  stateDirectory: () => Promise<string>;
  /** Results. */
  print: (text: string) => Promise<unknown>;
  /** Everything else, to standard error; sanitised and without credentials. */
  tell: (text: string) => void;
  redact: (text: string) => string;
  /** Called with what became of the faulty writes of the demo behind this program, when that changes. */
  onTraffic: (listener: (writes: Record<string, FaultyWrites>) => void) => void;
  close: () => Promise<void>;
};

const hasColor = (flags: Flags, stream: NodeJS.WriteStream): boolean =>
  !flags.has('no-color') && !process.env.NO_COLOR && (stream.isTTY ?? false) && process.env.TERM !== 'dumb';

/** A context for one call of the program; `close` ends everything that it opened. */
export const makeContext = (parsed: Parsed, signal: AbortSignal): Context => {
  const {flags, output, words} = parsed;
  const closers: (() => Promise<unknown>)[] = [];
  const environment = environmentSecrets(process.env);
  let redact = createRedactor(environment);
  let loaded: Promise<LoadedConfig> | undefined;
  let engine: Promise<FullEngine> | undefined;
  let state: Promise<string> | undefined;

  let demo: StartedDemo | undefined;
  let listener: ((writes: Record<string, FaultyWrites>) => void) | undefined;
  const load = async (): Promise<LoadedConfig> => {
    if (flags.has('demo')) {
      demo = await startDemoStores(flags, writes => listener?.(writes));
      closers.push(() => demo!.close());
      return demo.config;
    }
    const {loadConfig} = await import('../config/load.js');
    return loadConfig({file: flags.text('config'), cwd: process.cwd(), env: process.env});
  };
  const config = (): Promise<LoadedConfig> => {
    loaded ??= load().then(result => {
      redact = createRedactor([...environment, ...result.canaries]);
      return result;
    });
    return loaded;
  };
  const stateDirectory = (): Promise<string> => {
    state ??= stateDirectoryFor(flags, closers);
    return state;
  };
  const open = async (): Promise<FullEngine> => {
    const settings = await config();
    const [{openConfigured}, {openConnector}] = await Promise.all([
      import('../opening.js'),
      import('../../connectors/index.js'),
    ]);
    const opened = openConfigured(settings, openConnector, {
      stateDirectory: await stateDirectory(),
      redact: text => redact(text),
      ready: async name => demo?.readyStore(name),
      readOnly: flags.has('read-only'),
      locked: parsed.command === undefined,
      timeoutMs: flags.duration('timeout', 1),
      allowScan: flags.has('allow-scan'),
    });
    closers.unshift(() => opened.close());
    return opened;
  };
  return {
    words,
    flags,
    output,
    width: process.stdout.isTTY ? process.stdout.columns : null,
    color: hasColor(flags, process.stdout),
    signal,
    config,
    stateDirectory,
    engine: () => {
      engine ??= open();
      return engine;
    },
    print: text => writeOut(process.stdout, text),
    tell: text =>
      void process.stderr.write(
        `${text
          .split('\n')
          .map(line => sanitise(redact(line)))
          .join('\n')}\n`,
      ),
    redact: text => redact(text),
    onTraffic: next => {
      listener = next;
    },
    close: async () => {
      for (const closer of closers.splice(0)) await closer().catch(() => undefined);
    },
  };
};

type StartedDemo = {
  config: LoadedConfig;
  readyStore: (name: string) => Promise<void>;
  close: () => Promise<void>;
};

/** The stores start behind the screen: each is waited for when it is first asked. */
const startDemoStores = async (
  flags: Flags,
  onTraffic: (writes: Record<string, FaultyWrites>) => void,
): Promise<StartedDemo> => {
  const [{startDemoBehind}, {configFromObject}] = await Promise.all([
    import('../demo/behind.js'),
    import('../config/load.js'),
  ]);
  const ready = new Map<string, () => void>();
  const waiting = new Map<string, Promise<void>>();
  const readyStore = (name: string): Promise<void> => {
    if (!waiting.has(name)) waiting.set(name, new Promise(done => ready.set(name, done)));
    return waiting.get(name)!;
  };
  const demo = await startDemoBehind({
    traffic: !flags.has('no-traffic'),
    rows: flags.number('rows', 0),
    seed: flags.number('seed', 0),
    onReady: store => {
      void readyStore(store);
      ready.get(store)!();
    },
    onTraffic,
  });
  return {
    config: configFromObject(demo.config),
    readyStore: name => Promise.race([readyStore(name), demo.failed]),
    close: demo.close,
  };
};

/** The demo's runs are about stores that end with it, so it gets a directory that does too. */
const stateDirectoryFor = async (flags: Flags, closers: (() => Promise<unknown>)[]): Promise<string> => {
  const named = flags.text('state-dir');
  if (named !== undefined) return named;
  if (flags.has('demo')) {
    const directory = await mkdtemp(join(tmpdir(), 'sesstui-demo-'));
    closers.push(() => rm(directory, {recursive: true, force: true}));
    return directory;
  }
  const {defaultStateDirectory} = await import('../opening.js');
  return defaultStateDirectory();
};
