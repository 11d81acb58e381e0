/** What the configuration of a duplicates check means: its id, its keeper, its references, its rows' reasons. */
import type {DuplicatesConfig} from '../config/schema.js';
import type {KeepRule} from '../connector.js';
import type {Expr, Pred} from '../forms.js';
import type {Shapes} from './check.js';

type Config = DuplicatesConfig;

/** The attribute that canonicalId and references speak of: the first of the key. */
export const idAttribute = (config: Config, shapes: Shapes): string | null =>
  shapes[config.table]?.key[0] ?? null;

export const keepsLatest = (config: Config): boolean =>
  config.latestBy !== undefined && config.keep !== 'first';

export const keepRule = (config: Config, shapes: Shapes): KeepRule =>
  keepsLatest(config)
    ? {
        by: 'latest',
        latestBy: config.latestBy!,
        canonicalId: config.canonicalId ?? null,
        idAttribute: idAttribute(config, shapes),
        zone: config.timeZone,
      }
    : {by: 'first'};

export const keyOf = (config: Config): Expr[] =>
  config.groupBy.map(name => (config.unordered.includes(name) ? {set: name} : {attr: name}));

/** Where a reference holds the id: itself, or under the key's name in a map. */
export const referenceOf = (config: Config, shapes: Shapes): Expr => {
  const attribute = config.referencedBy!.attribute;
  return {first: [attribute, `${attribute}.${idAttribute(config, shapes)}`]};
};

/** createdAt under the names that applications give it: what rekey keeps the earliest of. */
export const createdNames = ['createdAt', 'created_at'];

const has = (shapes: Shapes, table: string, column: string): boolean => {
  const columns = shapes[table]?.columns;
  return !columns || columns.some(({name}) => name === column);
};

export const show = (config: Config, shapes: Shapes): string[] => [
  ...new Set([
    ...(shapes[config.table]?.key ?? []),
    ...config.groupBy,
    ...(config.latestBy ?? []),
    ...createdNames.filter(name => has(shapes, config.table, name)),
  ]),
];

/** The conditions on one row, by reason. */
export const rowTags = (config: Config, shapes: Shapes): Record<string, Pred> => {
  const id = idAttribute(config, shapes);
  const tags: Record<string, Pred> = {};
  if (config.canonicalId && id)
    tags['non-canonical-id'] = {no: {same: [{fill: config.canonicalId}, {attr: id}]}};
  if (config.referencedBy && id) {
    const on: [Expr, Expr][] = [
      [{attr: id}, referenceOf(config, shapes)],
      [{attr: config.groupBy[0]!}, {attr: config.referencedBy.key}],
    ];
    tags.unreferenced = {no: {partner: {table: config.referencedBy.table, on}}};
    // Not a reason of its own: it tells that there is no account which could be made to refer to the row.
    const account: [Expr, Expr][] = [[{attr: config.groupBy[0]!}, {attr: config.referencedBy.key}]];
    tags['no-account'] = {no: {partner: {table: config.referencedBy.table, on: account}}};
  }
  if (config.latestBy) {
    const some: Pred = {
      any: config.latestBy.map(attr => ({
        no: {
          any: [
            {is: 'missing', of: {attr}},
            {is: 'null', of: {attr}},
          ],
        },
      })),
    };
    tags['unreadable-time'] = {
      all: [some, {no: {is: 'instant', of: {instant: config.latestBy, zone: config.timeZone}}}],
    };
  }
  return tags;
};
