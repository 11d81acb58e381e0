/** Carrying out an install or uninstall of guards from the command line, and printing their script. */
import type {FullEngine} from '../engine/engine.js';
import {installWithClean} from '../engine/guards/begin.js';
import {SesstuiError} from '../errors.js';
import type {GuardPlan, GuardProgress} from '../guards.js';
import {toJsonText} from '../output/json.js';
import {sanitise} from '../sanitise.js';
import type {Context} from './context.js';
import {printGuardPlan, printGuardResult} from './guards-printing.js';
import {confirmFlags, noteOf, onlyPlans} from './running.js';

const nextOf = (plan: GuardPlan): string => {
  const {confirmations, findings, clean, of} = plan;
  const isInTheWay = Object.keys(findings).length > 0 && !clean;
  if (of && isInTheWay) return `Go on with it with: ${installWithClean(plan)}${confirmFlags(confirmations)}.`;
  const withClean = isInTheWay ? ' --clean' : '';
  const why = confirmations.map(({why: reason}) => reason).join('; ');
  return `Carry it out with --yes${withClean}${confirmFlags(confirmations)}${why ? ` (${why})` : ''}.`;
};

/** On a terminal each progress in one line; elsewhere only what it waits for. */
const telling = (context: Context): ((progress: GuardProgress) => void) => {
  let last = '';
  return ({guard, text}) => {
    const line = `${guard}: ${text}`;
    if (line === last || (!process.stderr.isTTY && !text.startsWith('waiting'))) return;
    last = line;
    context.tell(line);
  };
};

/** Exit code: 4 when it was stopped, 130 when it was interrupted. */
export const carryOutGuards = async (
  context: Context,
  engine: FullEngine,
  plan: GuardPlan,
): Promise<number> => {
  if (onlyPlans(context)) {
    await printGuardPlan(context, plan, nextOf(plan));
    return 0;
  }
  const result = await engine.runGuards(plan, {
    note: noteOf(context),
    confirmed: context.flags.all('confirm') ?? [],
    signal: context.signal,
    onProgress: telling(context),
  });
  await printGuardResult(context, result);
  if (result.error) return 4;
  return result.interrupted ? 130 : 0;
};

export const printScript = async (context: Context, engine: FullEngine, check: string): Promise<number> => {
  const {flags, output, print, signal} = context;
  const [guard, other] = flags.all('guard') ?? [];
  if (other !== undefined)
    throw new SesstuiError(
      'usage',
      'guards script takes one --guard',
      'Without it the script has all of them, in their order.',
    );
  const script = await engine.guardScript(check, {guard, down: flags.has('down'), signal});
  const text = script.endsWith('\n') ? script : `${script}\n`;
  if (output === 'json') await print(toJsonText({check, guard: guard ?? null, script: text}));
  // A file gets the names as they are; a terminal would obey what stands in them.
  else await print(context.width === null ? text : text.split('\n').map(sanitise).join('\n'));
  return 0;
};
