/** Which guards a check has in its store. */
import type {Shapes} from '../../checks/check.js';
import type {Connector} from '../../connector.js';
import type {Guard, GuardKeeper} from '../../guards.js';
import type {Checker} from '../checker.js';

/** `refused`: why the store can't have it; null where it can. */
export type HadGuard = {guard: Guard; refused: string | null};

/** The tables of a check as far as they are there: what is missing is the guards' to tell. */
export const shapesOf = async (
  checker: Checker,
  connector: Connector,
  signal?: AbortSignal,
): Promise<Shapes> => {
  const shapes: Shapes = {};
  for (const {table} of checker.check.needs(checker.config)) {
    const shape = await connector.describe(table, signal);
    if (shape) shapes[table] = shape;
  }
  return shapes;
};

/** Those that the store can have; where it can have none, the ones that it would have, each with the reason. */
export const guardsOf = (checker: Checker, keeper: GuardKeeper | null, shapes: Shapes): HadGuard[] => {
  const all = checker.check
    .guards(checker.config, shapes)
    .map(guard => ({guard, refused: keeper?.refuses(guard.rule) ?? null}));
  const had = keeper ? all.filter(({refused}) => refused === null) : [];
  return had.length > 0 ? had : all.filter(({guard}) => !guard.instead);
};
