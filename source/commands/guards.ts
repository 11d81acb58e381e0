/** `guards`: what each guard's state is; the sub-commands install, uninstall, script and test. */
import {nearest} from '../config/nearest.js';
import type {FullEngine} from '../engine/engine.js';
import {SesstuiError} from '../errors.js';
import {namedCheck} from './checks.js';
import type {Context} from './context.js';
import {printGuards} from './guards-printing.js';
import {carryOutGuards, printScript} from './guards-running.js';
import {testGuards} from './guards-test.js';

/** The flags that a sub-command takes; '' is the list. */
const flagsOf = {
  '': [],
  install: ['guard', 'clean', 'allow-scan', 'yes', 'dry-run', 'confirm', 'note'],
  uninstall: ['guard', 'yes', 'dry-run', 'confirm', 'note'],
  script: ['guard', 'down'],
  test: ['guard', 'yes', 'dry-run', 'confirm'],
} as const;

type Part = keyof typeof flagsOf;
const parts = Object.keys(flagsOf).filter(name => name !== '');
const own = [...new Set<string>(Object.values(flagsOf).flat())];

const isPart = (word: string | undefined): word is Exclude<Part, ''> => parts.includes(word ?? '');

/** Throws `usage`: what is not taken would be left out without a word. */
const refuseFlags = ({flags}: Context, part: Part): void => {
  const taken: readonly string[] = flagsOf[part];
  const given = own.find(name => !taken.includes(name) && (flags.has(name) || flags.all(name)));
  if (!given) return;
  const where = Object.entries(flagsOf).filter(([, names]) => (names as readonly string[]).includes(given));
  throw new SesstuiError(
    'usage',
    `${part === '' ? 'guards' : `guards ${part}`} does not take --${given}`,
    `It belongs to: ${where.map(([name]) => `guards ${name}`).join(', ')}.`,
  );
};

/** Throws `usage` for a word that is neither a sub-command nor a check, with the nearest. */
const checksOf = (engine: FullEngine, words: string[]): string[] => {
  for (const [place, word] of words.entries()) {
    const isCheck = engine.checks.some(({name, kind}) => name === word || kind === word);
    if (!isCheck && !word.includes('/')) refusePart(engine, word, place === 0 && words.length > 1);
    namedCheck(engine, word);
  }
  return [...new Set(words)];
};

/** `isFirst`: more words come after it, so that it must have been meant for a sub-command, if not for a check. */
const refusePart = (engine: FullEngine, word: string, isFirst: boolean): void => {
  const near = nearest(word, parts);
  const known = engine.checks.flatMap(({id, name, kind}) => [id, name, kind]);
  if (!near && !(isFirst && nearest(word, known) === undefined)) return;
  throw new SesstuiError(
    'usage',
    `there is no check or sub-command "${word}"${near ? `; the nearest is "${near}"` : ''}`,
    `The sub-commands: ${parts.map(part => `guards ${part} CHECK`).join(', ')}. The checks: ${engine.checks.map(({id}) => id).join(', ') || 'none'}.`,
  );
};

const list = async (context: Context): Promise<number> => {
  if (context.words.length === 0) refuseFlags(context, '');
  const engine = await context.engine();
  const ids = checksOf(engine, context.words);
  refuseFlags(context, '');
  const guards = await engine.guards(ids.length > 0 ? ids : undefined, {signal: context.signal});
  await printGuards(context, guards);
  return guards.some(({error}) => error) ? 3 : 0;
};

const oneCheck = async (context: Context, part: string): Promise<{engine: FullEngine; check: string}> => {
  const engine = await context.engine();
  const [, check, more] = context.words;
  if (check === undefined || more !== undefined)
    throw new SesstuiError(
      'usage',
      check === undefined ? `guards ${part} needs a check` : `guards ${part} does not take "${more}"`,
      `For example: sesstui guards ${part} ${engine.checks[0]?.id ?? 'STORE/CHECK'}. The checks: ${engine.checks.map(({id}) => id).join(', ') || 'none'}.`,
    );
  return {engine, check: namedCheck(engine, check).id};
};

export const guards = async (context: Context): Promise<number> => {
  const [part] = context.words;
  if (!isPart(part)) return list(context);
  refuseFlags(context, part);
  const {engine, check} = await oneCheck(context, part);
  if (part === 'script') return printScript(context, engine, check);
  if (part === 'test') return testGuards(context, engine, check);
  const plan = await engine.planGuards(check, part, {
    guards: context.flags.all('guard'),
    clean: context.flags.has('clean'),
    signal: context.signal,
  });
  return carryOutGuards(context, engine, plan);
};
