/** `in`: a value is one of some that were typed on a command line or came from another row. */
import type {InItem} from '../../source/forms.js';
import {type Scalar, toText} from '../../source/values.js';
import {plainDecimal, readNumeric} from './decode.js';
import {isStorable} from './sql.js';
import {type Scope, scalarOnly, type Typed, textOf} from './typed.js';
import {jsonbType} from './types.js';

export const uuidRegex = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const isInt8 = (text: string): boolean =>
  /^(?:0|-?[1-9]\d{0,18})$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);

const integers = {type: 'int8[]', fits: isInt8};

const floats = {type: 'float8[]', fits: (text: string) => toText(Number(text)) === text};

/** Texts that a column of the type could spell, so that no cast fails and an index on the column serves. */
const nativeTexts: Record<string, {type: string; fits: (text: string) => boolean}> = {
  uuid: {type: 'uuid[]', fits: text => uuidRegex.test(text)},
  int2: integers,
  int4: integers,
  int8: integers,
  numeric: {
    type: 'numeric[]',
    fits: text => text === 'NaN' || (plainDecimal(text) !== null && toText(readNumeric(text)) === text),
  },
  float4: floats,
  float8: floats,
  bool: {type: 'bool[]', fits: text => text === 'true' || text === 'false'},
  bpchar: {type: 'bpchar[]', fits: text => !text.endsWith(' ')},
};

const scalarIn = (items: Scalar[], typed: Typed, scope: Scope): string => {
  const texts = [...new Set(items.map(toText))].filter(isStorable);
  const native = typed.column && !typed.column.type.loose ? nativeTexts[typed.column.type.base] : undefined;
  if (native) {
    const fitting = texts.filter(native.fits);
    // 0.1 in four bytes is another number than 0.1 in eight, and the same text.
    const column = native === floats ? `${typed.column!.sql}::text::float8` : typed.column!.sql;
    return fitting.length > 0 ? `${column} = any(${scope.binder.bind(fitting, native.type)})` : 'false';
  }
  return texts.length > 0
    ? `${textOf(scalarOnly(typed))} = any(${scope.binder.bind(texts, 'text[]')})`
    : 'false';
};

/** The texts of an array's elements as text[], '' where one is NULL; NULL where it is no array. */
const elementTexts = ({kind, sql, type}: Typed): string => {
  if (kind === 'json') {
    const text = textOf({sql: 'e', kind: 'json', type: jsonbType});
    const items = `array(select coalesce(${text}, '') from jsonb_array_elements(${sql}) with ordinality l(e, i) order by i)`;
    return `case when jsonb_typeof(${sql}) = 'array' then ${items} end`;
  }
  const element = type.element!;
  const numeric = element.family === 'numeric' || element.family === 'float';
  if (!numeric && element.family !== 'timestamptz') return `array_replace((${sql})::text[], null, '')`;
  const text = textOf({sql: 'e', kind: numeric ? 'number' : 'time', type: element});
  return `case when (${sql}) is not null then array(select coalesce(${text}, '') from unnest(${sql}) with ordinality l(e, i) order by i) end`;
};

const sortedTexts = (sql: string): string => `array(select x from unnest(${sql}) x order by x collate "C")`;

/** A `set` is compared whatever the order the item has: the order that elements are sorted in is a store's own. */
const arrayIn = (items: (Scalar | null)[][], typed: Typed, isSet: boolean, scope: Scope): string => {
  const found = elementTexts(typed);
  const wanted = items.map(item => item.map(toText)).filter(texts => texts.every(isStorable));
  const tests = wanted.map(texts => {
    const bound = scope.binder.bind(texts, 'text[]');
    return isSet ? `${sortedTexts(found)} = ${sortedTexts(bound)}` : `${found} = ${bound}`;
  });
  if (tests.length === 0) return 'false';
  return isSet ? `((${typed.sql}) is not null and (${tests.join(' or ')}))` : `(${tests.join(' or ')})`;
};

/** The value equals one of these, as text; arrays element by element. */
export const isIn = (items: InItem[], typed: Typed, isSet: boolean, scope: Scope): string => {
  if (typed.kind === 'absent') return 'false';
  const tests: string[] = [];
  const arrays = items.filter(item => Array.isArray(item));
  const scalars = items.filter((item): item is Scalar => !Array.isArray(item));
  if (typed.kind !== 'array' && scalars.length > 0) tests.push(scalarIn(scalars, typed, scope));
  if ((typed.kind === 'array' || typed.kind === 'json') && arrays.length > 0)
    tests.push(arrayIn(arrays, typed, isSet, scope));
  if (tests.length === 0) return 'false';
  return tests.length === 1 ? tests[0]! : `(${tests.join(' or ')})`;
};
