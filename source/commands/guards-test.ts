/** `guards test`: proves guards on scratch copies, sentence by sentence. */
import type {FullEngine} from '../engine/engine.js';
import {SesstuiError} from '../errors.js';
import type {GuardInfo, Proof} from '../guards.js';
import {toCsv} from '../output/csv.js';
import {toJsonText} from '../output/json.js';
import {toNdjson} from '../output/ndjson.js';
import {sanitise} from '../sanitise.js';
import type {Context} from './context.js';
import {confirmFlags, onlyPlans} from './running.js';

const columns = ['check', 'guard', 'passed', 'text', 'why'].map(name => ({name, header: name.toUpperCase()}));

const line = (color: boolean, {guard, text, passed, why}: Proof): string => {
  const word = passed ? 'ok' : 'FAILED';
  const told = color ? `\x1b[${passed ? 32 : 31}m${word}\x1b[39m` : word;
  return `${told} ${guard}: ${sanitise(text)}${why ? ` (${sanitise(why)})` : ''}\n`;
};

const tellUnavailable = (context: Context, guards: GuardInfo[]): void => {
  for (const {check, guard, state, why} of guards)
    if (state === 'unavailable') context.tell(`${check} ${guard}: unavailable${why ? `: ${why}` : ''}`);
};

const printPlan = async (context: Context, engine: FullEngine, guards: GuardInfo[]): Promise<void> => {
  const able = guards.filter(({state}) => state !== 'unavailable').map(({guard}) => guard);
  const confirm = engine.production
    ? confirmFlags([{expected: engine.environment, why: 'this is production'}])
    : '';
  if (context.output === 'json') await context.print(toJsonText({dryRun: true, guards: able, proofs: []}));
  else
    await context.print(
      able.length > 0
        ? `Would prove ${able.join(', ')} on scratch copies in the same store, which are dropped after. Nothing was changed.\nCarry it out with --yes${confirm}.\n`
        : 'There is no guard to prove here.\n',
    );
};

/** Throws `usage` for a guard that the check doesn't have, and the error of a store that can't be asked. */
const asked = async (context: Context, engine: FullEngine, check: string): Promise<GuardInfo[]> => {
  const all = await engine.guards([check], {signal: context.signal});
  const names = context.flags.all('guard');
  const unknown = names?.find(name => !all.some(({guard}) => guard === name));
  if (unknown !== undefined)
    throw new SesstuiError(
      'usage',
      `check ${check} has no guard "${unknown}"`,
      `Its guards: ${all.map(({guard}) => guard).join(', ') || 'none'}.`,
    );
  return names ? all.filter(({guard}) => names.includes(guard)) : all;
};

export const testGuards = async (context: Context, engine: FullEngine, check: string): Promise<number> => {
  const {output, print, flags, signal, color} = context;
  const guards = await asked(context, engine, check);
  tellUnavailable(context, guards);
  if (onlyPlans(context)) {
    await printPlan(context, engine, guards);
    return guards.some(({error}) => error) ? 3 : 0;
  }
  const printed: Promise<unknown>[] = [];
  const proofs = await engine.testGuards(check, {
    guards: flags.all('guard'),
    confirmed: flags.all('confirm') ?? [],
    signal,
    onProof: proof => {
      if (output === 'table') printed.push(print(line(color, proof)));
    },
  });
  await Promise.all(printed);
  const rows = proofs.map(proof => ({check, ...proof}));
  if (output === 'json') await print(toJsonText({proofs: rows}));
  else if (output === 'ndjson') await print(toNdjson(rows));
  else if (output === 'csv')
    await print(
      toCsv(
        columns,
        rows.map(row => ({...row, passed: String(row.passed), why: row.why ?? ''})),
      ),
    );
  else if (proofs.length === 0) await print('There is no guard to prove here.\n');
  return proofs.some(({passed}) => !passed) ? 1 : 0;
};
