/** The guards of checks as they are told to people. */
import type {Shapes} from '../../checks/check.js';
import type {Connector} from '../../connector.js';
import {asSesstuiError} from '../../errors.js';
import type {Guard, GuardDirection, GuardInfo, GuardKeeper, GuardRule, GuardSeen} from '../../guards.js';
import {shellWord} from '../../shell-word.js';
import type {Checker} from '../checker.js';
import {guardsOf, type HadGuard, shapesOf} from './rules.js';

/** '' where there is none, or the store can't be asked for what it takes. */
const scriptOf = async (
  keeper: GuardKeeper | null,
  guard: string,
  rule: GuardRule,
  direction: GuardDirection,
  signal?: AbortSignal,
): Promise<string> => {
  try {
    return (await keeper?.script([{guard, rule}], direction, {whole: false, signal})) ?? '';
  } catch (error) {
    signal?.throwIfAborted();
    if (asSesstuiError(error).code === 'internal') throw error;
    return '';
  }
};

/** With the commands that mend the rows which an installed guard lets be, and the one that finishes it then. */
const whyOf = (check: string, {name, lets}: Guard, {why, left}: GuardSeen): string | null => {
  if (why === null || left === undefined || !lets) return why;
  const command = (...words: string[]): string => `\`${['sesstui', ...words].map(shellWord).join(' ')}\``;
  const install = `${command('guards', 'install', check, '--guard', name)} finishes it`;
  if (left === 0) return `${why}: ${install}`;
  const reasons = lets.reasons.flatMap(reason => ['--reason', reason]);
  const clean = command('clean', check, '--action', lets.action, ...reasons);
  return `${why}: ${command('check', check)} lists them, ${clean} mends those of ${lets.reasons.join(', ')}, and then ${install}`;
};

const infoOf = async (
  checker: Checker,
  keeper: GuardKeeper | null,
  {guard, refused}: HadGuard,
  seen: GuardSeen & Pick<GuardInfo, 'error'>,
  signal?: AbortSignal,
): Promise<GuardInfo> => {
  const {name, rule, prevents, optIn = false} = guard;
  const script = (direction: GuardDirection): Promise<string> =>
    refused === null ? scriptOf(keeper, name, rule, direction, signal) : Promise.resolve('');
  return {
    check: checker.id,
    guard: name,
    state: seen.state,
    why: whyOf(checker.id, guard, seen),
    up: await script('install'),
    down: await script('uninstall'),
    prevents,
    optIn,
    ...(seen.error ? {error: seen.error} : {}),
  };
};

/** As the store has them now. Throws what the store throws. */
export const infosOf = async (
  checker: Checker,
  connector: Connector,
  shapes: Shapes,
  signal?: AbortSignal,
): Promise<GuardInfo[]> => {
  const infos: GuardInfo[] = [];
  for (const had of guardsOf(checker, connector.guards, shapes)) {
    const seen: GuardSeen =
      had.refused === null
        ? await connector.guards.state(had.guard.rule, signal)
        : {state: 'unavailable', why: had.refused};
    infos.push(await infoOf(checker, connector.guards, had, seen, signal));
  }
  return infos;
};

/** Where the store can't be asked its guards are told all the same, each with the error. */
export const lookAtGuards = async (checker: Checker, signal?: AbortSignal): Promise<GuardInfo[]> => {
  try {
    return await checker.store.ask(
      async connector => infosOf(checker, connector, await shapesOf(checker, connector, signal), signal),
      {signal, insist: true},
    );
  } catch (fault) {
    signal?.throwIfAborted();
    const error = asSesstuiError(fault).toJSON();
    const keeper = await checker.store.unasked().then(
      ({guards}) => guards,
      () => null,
    );
    const seen = {state: 'unavailable' as const, why: error.message, error};
    return Promise.all(guardsOf(checker, keeper, {}).map(had => infoOf(checker, keeper, had, seen, signal)));
  }
};
