/** The validator of the id: whether it is there, and the commands that put it in or take it out. Pure. */
import type {Document} from 'mongodb';
import type {GuardSeen} from '../../../source/guards.js';
import type {Json} from '../../../source/values.js';
import {demands, mentions, merged, sameValidator, withoutDemand} from './schema.js';
import {exactOf, jsonOf, type Seen, unfit, type Validation} from './seen.js';
import type {Task} from './task.js';

type ValidRule = {table: string; id: string};

/**
 * Documents that the whole validator would refuse; those of them that the demand for the id would, and of these those
 * that can be mended. null where it took too long.
 */
export type Counts = {violating: number; demanded: number; mendable: number} | null;

/** MongoDB 8.1 and later can tell the log as well. */
const refusing = ['error', 'errorAndLog'];

const isWeak = ({level, action}: Validation): string | null => {
  if (level === 'off') return 'it is switched off (validationLevel off)';
  return refusing.includes(action) ? null : `it only warns (validationAction ${action})`;
};

/** See `GuardKeeper.state`: why there can be no such validator. */
const validUnavailable = (seen: Seen, {id}: ValidRule): string | null => {
  const why = unfit(seen);
  if (why !== null) return why;
  if (!seen.abilities.modifies) return 'this server has no collMod, and so no validators that could be added';
  if (id === '_id') return '_id is kept by the server';
  const {validator} = seen.validation;
  const weak = isWeak(seen.validation);
  // With the guard beside it, it would begin to refuse what it lets through today.
  if (validator && weak !== null && !demands(validator, id))
    return `there is a validator already, and ${weak}: with this guard it would refuse documents`;
  return null;
};

/** Documents are judged, and refused, by a validator that demands the id. */
const isHeld = (seen: Seen, {id}: ValidRule): boolean =>
  demands(seen.validation.validator, id) && isWeak(seen.validation) === null;

/** Whether documents have to be counted to know the state. */
export const needsCounts = (seen: Seen, rule: ValidRule): boolean =>
  validUnavailable(seen, rule) === null && isHeld(seen, rule) && seen.validation.level !== 'strict';

const documents = (count: number): string =>
  count === 1 ? '1 document violates it' : `${count} documents violate it`;

const moderate = (counts: Counts, table: string): string => {
  if (!counts) return 'moderate: documents that violate it may be there (counting them took too long)';
  const {violating, demanded} = counts;
  if (violating === 0) return 'moderate: no document violates it any more';
  if (violating === demanded) return `moderate: ${documents(violating)}`;
  const name = JSON.stringify(table);
  return `moderate: ${documents(violating)}, ${violating - demanded} of them only what else the validator demands (db.getCollection(${name}).find({$nor: [db.getCollectionInfos({name: ${name}})[0].options.validator]}) in mongosh)`;
};

export const validState = (seen: Seen, rule: ValidRule, counts: Counts): GuardSeen => {
  const why = validUnavailable(seen, rule);
  if (why !== null) return {state: 'unavailable', why};
  const {validator, level} = seen.validation;
  if (demands(validator, rule.id)) {
    const weak = isWeak(seen.validation);
    if (weak !== null) return {state: 'drifted', why: `the validator is there, but ${weak}`};
    if (level === 'strict') return {state: 'installed', why: null};
    return {state: 'installed', why: moderate(counts, rule.table), left: counts?.violating ?? null};
  }
  if (!validator) return {state: 'missing', why: null};
  return mentions(validator, rule.id)
    ? {
        state: 'drifted',
        why: `there is a validator, but it does not demand that ${rule.id} is text and not empty`,
      }
    : {state: 'missing', why: 'another validator is there: it is kept beside this one'};
};

/** What a collection says that has no validator. */
const lone = {level: 'strict', action: 'error'};

/** What is there without ours. The level and the action of a validator that is ours alone were nobody else's. */
export const validCapture = (seen: Seen, {id}: ValidRule): Json => {
  const {validator, level, action} = seen.validation;
  const rest = withoutDemand(validator, id);
  const {level: was, action: did} = validator && !rest ? lone : {level, action};
  return {validator: rest && jsonOf(rest), level: was, action: did};
};

const modify = (table: string, what: Document) => ({document: {collMod: table, ...what}});

export const validInstall = (seen: Seen, rule: ValidRule, counts: Counts): Task[] => {
  const {table, id} = rule;
  const held = isHeld(seen, rule);
  const {validator, level, action} = seen.validation;
  const refuse: Task = {
    name: 'validator',
    phase: 'refuse',
    text: `From here on a new document whose ${id} is null, missing, empty or not text is refused; one that is there already can still be changed.`,
    commands: [
      modify(table, {
        validator: demands(validator, id) ? validator : merged(validator, id),
        validationLevel: 'moderate',
        validationAction: refusing.includes(action) ? action : 'error',
      }),
    ],
  };
  const strict: Task = {
    name: 'strict',
    phase: 'enforce',
    text: 'Validates every write, once no document violates it any more; until then it stays moderate.',
    commands: [modify(table, {validationLevel: 'strict'})],
    blocked: counts !== null && counts.mendable > 0,
    skipped: counts === null || counts.violating > 0,
  };
  // Documents that no action mends (ids of another type) are left to a person, and the validator moderate.
  const waits = held && counts !== null && counts.violating > 0 && counts.mendable === 0;
  return [...(held ? [] : [refuse]), ...((held && level === 'strict') || waits ? [] : [strict])];
};

/** Ours goes; what else is demanded stays, at the level and with the action that it had. */
export const validUninstall = (seen: Seen, {table, id}: ValidRule, before: Json): Task[] => {
  const {validator, level, action} = seen.validation;
  const rest = withoutDemand(validator, id);
  if (sameValidator(rest, validator)) return [];
  const known = before as {validator: Json; level: string; action: string} | null;
  const was = known ?? (rest ? {level, action} : lone);
  const old = known?.validator ? exactOf(known.validator) : null;
  return [
    {
      name: 'validator',
      phase: 'tidy',
      text: rest
        ? `Takes the demand for ${id} out of the validator, and leaves the rest of it.`
        : 'Takes the validator away.',
      commands: [
        modify(table, {
          validator: (old && sameValidator(old, rest) ? old : rest) ?? {},
          validationLevel: was.level,
          validationAction: was.action,
        }),
      ],
    },
  ];
};
