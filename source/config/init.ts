/** `sesstui init`: writes a starter configuration for the stores that it can reach. */
import {lstat, open} from 'node:fs/promises';
import path from 'node:path';
import type {Connector} from '../connector.js';
import {asSesstuiError, SesstuiError} from '../errors.js';
import {createRedactor} from '../redact.js';
import {sanitise} from '../sanitise.js';
import {type Candidate, lookedFor, storesOfEnvironment} from './init-environment.js';
import {lookAtTables} from './init-look.js';
import {matchTables} from './init-match.js';
import {initText, type LookedAt} from './init-text.js';
import {fileNames} from './locate.js';
import type {StoreConfig} from './schema.js';
import {urlSecrets} from './urls.js';

export type InitOptions = {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** The file to write (`--out`); `sesstui.yaml` in `cwd` by default. */
  out?: string;
  /** Connects to a store, read-only. */
  open: (name: string, store: StoreConfig) => Connector | Promise<Connector>;
  /** How long one store may take, milliseconds. */
  timeoutMs?: number;
};

export type InitResult = {
  /** The absolute path of what was written. */
  file: string;
  text: string;
  stores: {name: string; kind: StoreConfig['kind']; checks: string[]; fault: string | null}[];
  /** For the user, one line each: what was found, what was not, what to do now. */
  messages: string[];
};

/**
 * Looks at the stores of the environment and writes the configuration, with mode 0600. Never overwrites: throws
 * `usage` when the file is there. A store that can't be reached is in the file too, with why in a comment.
 */
export const initConfig = async (options: InitOptions): Promise<InitResult> => {
  const file = path.resolve(options.cwd, options.out ?? fileNames[0]);
  await refuseExisting(file);
  const {candidates, notes} = storesOfEnvironment(options.env);
  const stores = await Promise.all(candidates.map(candidate => lookAt(candidate, options)));
  const text = initText(stores, notes);
  await write(file, text);
  return {
    file,
    text,
    stores: stores.map(({name, store, checks, fault}) => ({
      name,
      kind: store.kind,
      checks: checks.map(({check}) => String(check.check)),
      fault,
    })),
    messages: [...notes, ...messagesOf(stores, file)].map(sanitise),
  };
};

const messagesOf = (stores: LookedAt[], file: string): string[] => {
  if (stores.length === 0)
    return [
      `No store was found in the environment (looked for ${lookedFor.join(', ')}).`,
      `Wrote ${file} with examples: fill in a store, then run \`sesstui check\`.`,
    ];
  return [
    ...stores.map(({name, variable, checks, fault}) => {
      const found =
        checks.length === 0
          ? 'no table was recognised'
          : checks.map(({check, tables}) => `${check.check} on ${tables[0]}`).join(', ');
      return `${name} (${variable}): ${fault ?? found}`;
    }),
    `Wrote ${file}. Look through it, set \`environment\`, then run \`sesstui check\`.`,
  ];
};

/** What is in a store, or why that is not known; never throws for a store's fault. */
const lookAt = async (candidate: Candidate, options: InitOptions): Promise<LookedAt> => {
  const controller = new AbortController();
  const {signal} = controller;
  const timer = setTimeout(() => controller.abort(), options.timeoutMs ?? 10_000);
  let connector: Connector | undefined;
  try {
    const facts = await orAborted(signal, async () => {
      const opened = await options.open(candidate.name, candidate.store);
      if (signal.aborted) {
        // Nobody waits for it any more, so nobody else would close it.
        await opened.close();
        return [];
      }
      connector = opened;
      return lookAtTables(opened, signal);
    });
    return {...candidate, ...matchTables(facts), fault: null};
  } catch (error) {
    return {...candidate, checks: [], guesses: [], fault: faultOf(candidate, error)};
  } finally {
    clearTimeout(timer);
    // What closing it says is of no interest any more.
    await connector?.close().catch(() => undefined);
  }
};

/** The work's result; rejects when the signal aborts first, even if the work never ends. */
const orAborted = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new SesstuiError('timeout', 'it did not answer in time')), {
      once: true,
    });
    work().then(resolve, reject);
  });

const faultOf = ({store}: Candidate, error: unknown): string => {
  const {code, message} = asSesstuiError(error);
  const redact = createRedactor('url' in store ? urlSecrets(store.url) : []);
  const line = redact(message).split('\n', 1)[0]!;
  return `Could not be looked at (${code}): ${sanitise(line)}`;
};

const exists = (file: string): SesstuiError =>
  new SesstuiError(
    'usage',
    `${sanitise(file)} is there already.`,
    'Give another file with --out FILE, or remove it first.',
  );

const refuseExisting = async (file: string): Promise<void> => {
  const there = await lstat(file).then(
    () => true,
    () => false,
  );
  if (there) throw exists(file);
};

const write = async (file: string, text: string): Promise<void> => {
  try {
    // Exclusive, so that neither a file nor a link that came meanwhile is written through.
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'EEXIST') throw exists(file);
    throw new SesstuiError(
      'usage',
      `${sanitise(file)} could not be written: ${code}.`,
      'Give another file with --out FILE.',
      error,
    );
  }
};
