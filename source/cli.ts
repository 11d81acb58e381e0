#!/usr/bin/env node
import {readFileSync} from 'node:fs';
import {type Context, makeContext} from './commands/context.js';
import {type Parsed, parse, wantsJson} from './commands/parse.js';
import {helpText} from './commands/registry.js';
import {environmentSecrets} from './config/environment.js';
import {leaveNoDumps, onCrash} from './crash.js';
import {asSesstuiError, SesstuiError} from './errors.js';
/**
 * The program. Parses, then loads only what the command needs: a headless command loads neither Ink nor the
 * drivers of stores that it doesn't touch.
 */
import {toJsonText} from './output/json.js';
import {createRedactor} from './redact.js';
import {sanitise} from './sanitise.js';

leaveNoDumps();

// The AWS SDK would warn about Node 20 on standard error, in the middle of the screen.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

type Run = (context: Context) => Promise<number>;

const commands: Record<string, () => Promise<Run>> = {
  apply: async () => (await import('./commands/apply.js')).apply,
  check: async () => (await import('./commands/check.js')).check,
  clean: async () => (await import('./commands/clean.js')).clean,
  customer: async () => (await import('./commands/customer.js')).customer,
  demo: async () => (await import('./commands/demo.js')).demo,
  guards: async () => (await import('./commands/guards.js')).guards,
  health: async () => (await import('./commands/health.js')).health,
  history: async () => (await import('./commands/history.js')).history,
  init: async () => (await import('./commands/init.js')).init,
  resume: async () => (await import('./commands/resume.js')).resume,
  undo: async () => (await import('./commands/undo.js')).undo,
  watch: async () => (await import('./commands/watch.js')).watch,
};

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {version: string})
    .version;

/** The first interruption asks the command to stop (a run finishes its chunk); the second ends the program. */
const interruption = (): AbortSignal => {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new SesstuiError('interrupted', 'interrupted', ''));
    });
  }
  return controller.signal;
};

const failure = (error: unknown, signal: AbortSignal): SesstuiError =>
  signal.aborted ? new SesstuiError('interrupted', 'interrupted', '', error) : asSesstuiError(error);

const tellFailure = (fault: SesstuiError, json: boolean, redact: (text: string) => string): void => {
  if (json) {
    process.stdout.write(
      toJsonText({error: {code: fault.code, message: redact(fault.message), hint: redact(fault.hint)}}),
    );
    return;
  }
  const lines = `${fault.message}${fault.hint ? `\n${fault.hint}` : ''}`.split('\n');
  process.stderr.write(`sesstui: ${lines.map(line => sanitise(redact(line))).join('\n')}\n`);
};

const runCommand = async (parsed: Parsed, context: Context): Promise<number> => {
  if (parsed.flags.has('version')) {
    await context.print(`${version()}\n`);
    return 0;
  }
  if (parsed.flags.has('help')) {
    await context.print(helpText(parsed.command?.name));
    return 0;
  }
  const run = parsed.command
    ? await commands[parsed.command.name]!()
    : (await import('./commands/screen.js')).screen;
  return run(context);
};

const main = async (argv: string[]): Promise<number> => {
  const signal = interruption();
  const json = wantsJson(argv);
  let redact = createRedactor(environmentSecrets(process.env));
  onCrash(
    error => tellFailure(asSesstuiError(error), json, redact),
    () => redact,
  );
  let context: Context | undefined;
  try {
    const parsed = parse(argv);
    context = makeContext(parsed, signal);
    redact = context.redact;
    return await runCommand(parsed, context);
  } catch (error) {
    const fault = failure(error, signal);
    tellFailure(fault, json, redact);
    return fault.exitCode;
  } finally {
    await context?.close();
  }
};

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read our output has left: nothing more to tell them.
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
});

process.exitCode = await main(process.argv.slice(2));
// A driver that still holds a socket must not keep the program: everything was closed or given up.
setTimeout(() => process.exit(), 2000).unref();
