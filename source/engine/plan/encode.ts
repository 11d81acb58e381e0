/** Plans on disk: neutral values as JSON that comes back the same (moments, big integers, a store's own types). */
import {type Json, Other, Time, type Value, type ValueMap} from '../../values.js';

/** A value as JSON; what JSON can't hold goes under a `$` key. A map's own `$…` keys are escaped by another `$`. */
export const encodeValue = (value: Value): Json => {
  if (value === undefined) return {$missing: true};
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return {$bigint: value.toString()};
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : {$number: Object.is(value, -0) ? '-0' : String(value)};
  if (value instanceof Time)
    return {$time: Number.isFinite(value.micros) ? value.micros : String(value.micros)};
  if (value instanceof Other) return {$other: [value.type, value.text]};
  if (Array.isArray(value)) return value.map(encodeValue);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name.startsWith('$') ? `$${name}` : name,
      encodeValue(item),
    ]),
  );
};

export const decodeValue = (json: Json): Value => {
  if (json === null || typeof json !== 'object') return json;
  if (Array.isArray(json)) return json.map(decodeValue);
  if ('$missing' in json) return undefined;
  if ('$bigint' in json) return BigInt(json.$bigint as string);
  if ('$number' in json) return Number(json.$number);
  if ('$time' in json) return new Time(Number(json.$time));
  if ('$other' in json) return new Other((json.$other as string[])[0]!, (json.$other as string[])[1]!);
  const map: ValueMap = {};
  for (const [name, item] of Object.entries(json))
    map[name.startsWith('$$') ? name.slice(1) : name] = decodeValue(item);
  return map;
};
