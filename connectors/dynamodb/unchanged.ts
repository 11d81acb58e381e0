/** The condition that an item is still what the plan saw (safety: S2). */
import type {Item} from './attributes.js';
import type {Bindings} from './bindings.js';

/** 300 operators fit in an expression; each attribute takes two (`=` and `AND`). */
const mostAttributes = 140;
/** DynamoDB takes 2 MB of bound values; an expression that compares more than this is not worth sending. */
const mostBytes = 300_000;

/**
 * Every attribute that was seen still has its value, and those in `absent` are still not there. An attribute that
 * nobody knew of can't be conditioned on; the consistent read just before the write, which compares the whole
 * item, is what sees it. That read also stands for what does not fit: an item wider than DynamoDB's limits is
 * conditioned on `first` (what is set, judged or grouped by) and then on as many others as there is room for.
 */
export const unchanged = (
  item: Item,
  key: string[],
  bound: Bindings,
  first: string[],
  absent: string[],
): string => {
  const rest = Object.keys(item).filter(name => !key.includes(name));
  const urgent = rest.filter(name => first.includes(name));
  const ordered = [...urgent, ...rest.filter(name => !first.includes(name)).sort()].slice(
    0,
    mostAttributes - absent.length,
  );
  let bytes = 0;
  const compared = ordered.filter(name => {
    const size = Buffer.byteLength(JSON.stringify(item[name]));
    if (bytes + size > mostBytes) return false;
    bytes += size;
    return true;
  });
  return [
    `attribute_exists(${bound.name(key[0]!)})`,
    ...compared.map(name => `${bound.name(name)} = ${bound.value(item[name]!)}`),
    ...absent.map(name => `attribute_not_exists(${bound.name(name)})`),
  ].join(' AND ');
};
