/** A check's guards as a migration that runs without sesstui, and their proof on scratch copies. */
import {SesstuiError} from '../../errors.js';
import type {NamedRule, Proof} from '../../guards.js';
import type {Checker} from '../checker.js';
import {named} from './choosing.js';
import {guardsOf, type HadGuard, shapesOf} from './rules.js';

/** Comments of the languages that the stores' scripts are in. */
const comment = {postgres: '--', mongodb: '//', dynamodb: '#'} as const;

const rulesOf = (had: HadGuard[]): NamedRule[] =>
  had.map(({guard}) => ({guard: guard.name, rule: guard.rule}));

/** Throws `unsupported` with the reason where the store can have none of them. */
const requireHad = (checker: Checker, had: HadGuard[]): void => {
  const refused = had.find(item => item.refused !== null);
  if (refused)
    throw new SesstuiError(
      'unsupported',
      `${checker.id}: guard ${refused.guard.name} is unavailable: ${refused.refused}`,
      `\`sesstui guards ${checker.id}\` shows its guards.`,
    );
};

/**
 * Without a guard: all that are not opt-in; of device sessions all, because the migration that the script is has
 * row-level security in it.
 */
export const guardScript = async (
  checker: Checker,
  {guard, down = false, signal}: {guard?: string; down?: boolean; signal?: AbortSignal},
): Promise<string> => {
  const connector = await checker.store.unasked();
  // A script is written without its table as well.
  const shapes = await shapesOf(checker, connector, signal).catch(() => ({}));
  signal?.throwIfAborted();
  const had = guardsOf(checker, connector.guards, shapes);
  const chosen =
    guard === undefined
      ? had.filter(item => checker.check.kind === 'device-sessions' || !item.guard.optIn)
      : named(checker.id, had, [guard]);
  requireHad(checker, chosen);
  const script = await connector.guards.script(rulesOf(chosen), down ? 'uninstall' : 'install', {
    whole: guard === undefined,
    signal,
  });
  const left = guard === undefined ? had.filter(item => !chosen.includes(item)) : [];
  const mark = comment[checker.store.config.kind];
  return [
    ...left.map(
      item =>
        `${mark} Not in it, because it is installed only when it is named: --guard ${item.guard.name}\n`,
    ),
    script,
  ].join('');
};

/** Each proof as it comes; nothing where no guard is available. */
export async function* proveGuards(
  checker: Checker,
  {guards, signal}: {guards?: string[]; signal?: AbortSignal},
): AsyncGenerator<Proof> {
  const writer = await checker.store.openWriter();
  try {
    const had = guardsOf(checker, writer.guards, await shapesOf(checker, writer, signal));
    const able: HadGuard[] = [];
    for (const item of guards ? named(checker.id, had, guards) : had) {
      if (item.refused !== null) continue;
      if ((await writer.guards.state(item.guard.rule, signal)).state !== 'unavailable') able.push(item);
    }
    if (able.length > 0) yield* writer.guards.prove(rulesOf(able), signal);
  } finally {
    await writer.close();
  }
}
