/** Commands that a person is told to type: complete, so that what is pasted does what was said. */
import type {FullEngine} from '../engine/engine.js';
import {shellWord} from '../shell-word.js';
import type {RunResult} from '../types.js';
import type {Context} from './context.js';

/** `sesstui …` on the same configuration and state directory as this call, with what has to be typed for it. */
export const suggested = (
  {flags}: Pick<Context, 'flags'>,
  words: string[],
  confirm: readonly string[] = [],
): string => {
  const [config, state] = [flags.text('config'), flags.text('state-dir')];
  const more = [
    ...confirm.flatMap(text => ['--confirm', text]),
    ...(config === undefined ? [] : ['--config', config]),
    ...(state === undefined ? [] : ['--state-dir', state]),
    ...(flags.has('demo') ? ['--demo'] : []),
  ];
  return ['sesstui', ...words, ...more].map(shellWord).join(' ');
};

/** What production asks for, with the count where there are more changes than it takes without one. */
const productionAsks = async (
  context: Context,
  engine: FullEngine,
  count: number,
  withCount = false,
): Promise<string[]> => {
  if (!engine.production) return [];
  const {config} = await context.config();
  return [withCount || count > config.limits.changes ? `${engine.environment}:${count}` : engine.environment];
};

const ended =
  "The demo's stores end with this command, and its runs with them: `sesstui demo` serves some that stay.";

/** The line that says how a run is taken back. `applied`: changes of rows. */
export const undoLine = async (
  context: Context,
  engine: FullEngine,
  result: Pick<RunResult, 'run' | 'applied'>,
): Promise<string> => {
  if (context.flags.has('demo')) return ended;
  const confirm = await productionAsks(context, engine, result.applied);
  return `Take it back with: ${suggested(context, ['undo', result.run!, '--yes'], confirm)}`;
};

/** The line that says how a run that was interrupted is finished. */
export const resumeLine = async (
  context: Context,
  engine: FullEngine,
  {run, check, action, changes}: RunResult,
): Promise<string> => {
  if (context.flags.has('demo')) return ended;
  const left = changes.filter(({result}) => result === 'planned');
  const {table, actions} = engine.checker(check).info;
  const deletes = left.filter(change => change.op === 'delete' && change.table === table).length;
  const drastic = actions.some(({name, drastic}) => name === action && drastic);
  // A share of the table that was asked about for the whole may be one for the rest; the count does for either.
  const withCount = (context.flags.all('confirm') ?? []).some(text =>
    text.startsWith(`${engine.environment}:`),
  );
  const confirm = [
    ...(await productionAsks(context, engine, left.length, withCount)),
    ...(drastic ? [`${table}:${deletes}`] : []),
  ];
  return `Finish it with: ${suggested(context, ['resume', run!, '--yes'], confirm)}`;
};
