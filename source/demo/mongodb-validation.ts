/** What `create` and `collMod` make of a validator, its level and its action. */
import type {Validation} from './mongodb-collection.js';
import {failed} from './mongodb-errors.js';
import {compileFilter} from './mongodb-match.js';
import {equal} from './mongodb-order.js';
import {type Doc, isDocument} from './mongodb-values.js';

/** MongoDB takes null for what was not said. */
const oneOf = (command: Doc, name: string, values: string[]): string | undefined => {
  const value = command[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'string' && values.includes(value)) return value;
  const field = `${Object.keys(command)[0]}.${name}`;
  throw failed('BadValue', `Enumeration value '${String(value)}' for field '${field}' is not a valid value.`);
};

const validatorOf = (command: Doc): Doc | undefined => {
  const validator = command.validator ?? undefined;
  if (validator === undefined) return undefined;
  if (!isDocument(validator))
    throw failed('TypeMismatch', "the field 'validator' is of the wrong type, expected type 'object'");
  compileFilter(validator);
  return validator;
};

/** In the order that `listCollections` tells them in. An empty validator is none. */
const stored = ({validator, validationLevel, validationAction}: Validation): Validation => ({
  ...(validator && Object.keys(validator).length > 0 && {validator}),
  ...(validationLevel && {validationLevel}),
  ...(validationAction && {validationAction}),
});

const withDefaults = (validation: Validation): Validation =>
  stored({validationLevel: 'strict', validationAction: 'error', ...stored(validation)});

const said = (command: Doc): Validation => ({
  validator: validatorOf(command),
  validationLevel: oneOf(command, 'validationLevel', ['off', 'strict', 'moderate']),
  validationAction: oneOf(command, 'validationAction', ['error', 'warn']),
});

export const createdValidation = (command: Doc): Validation => stored(said(command));

/**
 * What stands there after a collMod. As MongoDB does, one that says anything of the validation writes the level and the
 * action out, defaults too, and none takes them away again.
 */
export const modifiedValidation = (command: Doc, before: Validation): Validation => {
  const {validator, validationLevel, validationAction} = said(command);
  if ((validator ?? validationLevel ?? validationAction) === undefined) return before;
  return withDefaults({
    validator: validator ?? before.validator,
    validationLevel: validationLevel ?? before.validationLevel,
    validationAction: validationAction ?? before.validationAction,
  });
};

/** Whether a `create` would make what is there. */
export const isSameValidation = (a: Validation, b: Validation): boolean =>
  equal(withDefaults(a), withDefaults(b));
