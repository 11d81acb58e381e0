/** What `clean --all` and the watch do of themselves: the safe default actions. */
import type {CheckInfo, ReasonMeta} from '../../types.js';

/** The first action that is offered for a reason; undefined where it is a drastic one, or wants rows named. */
const defaultOf = ({actions}: CheckInfo, reason: ReasonMeta): string | undefined => {
  if (reason.onlyWhenNamed) return undefined;
  const name = reason.actions.find(candidate =>
    actions.some(action => action.name === candidate && !action.byId),
  );
  return actions.find(action => action.name === name)?.drastic ? undefined : name;
};

/** The first action of each reason, in the order of the reasons; no drastic one, none that wants rows named. */
export const defaultActions = (check: CheckInfo): string[] => [
  ...new Set(check.reasons.flatMap(reason => defaultOf(check, reason) ?? [])),
];

/** Those of them that a reason which was found asks for. */
export const actionsForFound = (check: CheckInfo, byReason: Record<string, number>): string[] => [
  ...new Set(
    check.reasons.flatMap(reason =>
      (byReason[reason.name] ?? 0) > 0 ? (defaultOf(check, reason) ?? []) : [],
    ),
  ),
];
