/** What an update makes of an item. Pure. */
import type {NewValue} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {type Attribute, attributeOf, type Item, sameAttribute} from './attributes.js';
import type {Bindings} from './bindings.js';
import {momentLike} from './moments.js';

const newAttribute = (
  change: NewValue,
  replaced: Attribute | undefined,
  now: number,
): Attribute | undefined => {
  if ('remove' in change) return undefined;
  if ('now' in change) return momentLike(now, replaced);
  return change.value === undefined ? undefined : attributeOf(change.value, replaced);
};

/** An attribute by its name, which may be that of something every object inherits. */
export const attributeIn = (item: Item, name: string): Attribute | undefined =>
  Object.hasOwn(item, name) ? item[name] : undefined;

/** Sets one attribute; a name with a dot steps into a map unless there is an attribute of that very name. */
const assign = (item: Item, name: string, change: NewValue, now: number): Item => {
  const dot = name.indexOf('.');
  if (dot < 0 || Object.hasOwn(item, name)) {
    const made = newAttribute(change, attributeIn(item, name), now);
    const others = Object.fromEntries(Object.entries(item).filter(([other]) => other !== name));
    return made === undefined ? others : {...others, [name]: made};
  }
  const [outer, rest] = [name.slice(0, dot), name.slice(dot + 1)];
  const inner = Object.hasOwn(item, outer) ? item[outer]! : {M: {}};
  if (!('M' in inner)) throw new SesstuiError('unsupported', `${name} can't be set: ${outer} is not a map.`);
  return {...item, [outer]: {M: assign(inner.M, rest, change, now)}};
};

/** The item with these attributes set; `now` in microseconds. Throws `unsupported` for what DynamoDB can't hold. */
export const withChanges = (item: Item, set: Record<string, NewValue>, now: number): Item =>
  Object.entries(set).reduce((changed, [name, change]) => assign(changed, name, change, now), item);

/** The top-level attributes in which two items differ. */
export const differing = (before: Item, after: Item): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(name => {
    const [a, b] = [attributeIn(before, name), attributeIn(after, name)];
    return a === undefined || b === undefined || !sameAttribute(a, b);
  });

/** The expression that makes one item of the other; undefined where nothing differs. */
export const updateExpression = (before: Item, after: Item, bound: Bindings): string | undefined => {
  const names = differing(before, after);
  const kept = names.filter(name => Object.hasOwn(after, name));
  const gone = names.filter(name => !Object.hasOwn(after, name));
  const sets = kept.map(name => `${bound.name(name)} = ${bound.value(after[name]!)}`);
  return (
    [
      sets.length > 0 && `SET ${sets.join(', ')}`,
      gone.length > 0 && `REMOVE ${gone.map(bound.name).join(', ')}`,
    ]
      .filter(Boolean)
      .join(' ') || undefined
  );
};
