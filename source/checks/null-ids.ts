/**
 * Documents whose session id is null, missing, empty, of the wrong type or format, or shared: the next insert
 * without an id is rejected by the unique index, and two conversations with one id are one to the application.
 */
import type {NullIdsConfig} from '../config/schema.js';
import type {Change, Row, Unit} from '../connector.js';
import {valueAt} from '../evaluate.js';
import type {Expr, Pred} from '../forms.js';
import type {ActionMeta, ReasonMeta} from '../types.js';
import {toJson} from '../values.js';
import {
  type Check,
  guessedEmails,
  type Hinders,
  type IdentityColumn,
  type Judged,
  momentOf,
  type Part,
  type PlanContext,
  type Task,
} from './check.js';
import {createdNames} from './duplicates-rules.js';
import {decideKeeper} from './keeper.js';
import {isOfWrongType, nullIdsGuards} from './null-ids-guards.js';

type Config = NullIdsConfig;
const both = ['assign-ids', 'delete'];

const reasons: ReasonMeta[] = [
  {name: 'null-id', severity: 'warning', text: 'The id is null.', actions: both},
  {name: 'missing-id', severity: 'warning', text: 'There is no id.', actions: both},
  {name: 'empty-id', severity: 'warning', text: 'The id is empty.', actions: both},
  {name: 'duplicate-id', severity: 'warning', text: 'Several rows have the same id.', actions: both},
  {
    name: 'wrong-type-id',
    severity: 'warning',
    text: 'The id is not text.',
    actions: both,
    onlyWhenNamed: true,
  },
  {
    name: 'wrong-format-id',
    severity: 'info',
    text: 'The id is not a UUID though idFormat says so.',
    actions: both,
    onlyWhenNamed: true,
  },
];

const idOf = (config: Config): Expr => ({attr: config.id});

/** Text that is not empty: an id as it should be, whatever its format. */
const isText = (config: Config): Pred => ({
  all: [
    {is: 'string', of: idOf(config)},
    {no: {is: 'empty', of: idOf(config)}},
    {no: {is: 'array', of: idOf(config)}},
  ],
});

const wrongFormat = (config: Config): Record<string, Pred> =>
  config.idFormat === 'uuid' ? {'wrong-format-id': {no: {is: 'uuid', of: idOf(config)}}} : {};

const show = (config: Config, extra: string[] = []): string[] => [
  ...new Set([config.id, ...(config.touch ? [config.touch] : []), ...extra]),
];

const evidence: Record<string, string> = {
  'null-id': 'the id is null',
  'missing-id': 'there is no id',
  'empty-id': 'the id is empty text',
  'wrong-type-id': 'the id is not text',
  'wrong-format-id': 'the id is not a UUID',
};

/** Where a customer can't come back to a conversation. */
const lost: Record<string, string> = {
  'null-id': 'its id is null',
  'missing-id': 'it has no id',
  'empty-id': 'its id is empty',
  'duplicate-id': 'other conversations have its id too',
};

const sharedGroup =
  (id: string) =>
  (found: {rows: Row[]; having: string[]}): Judged => {
    const keeper = decideKeeper({by: 'first'}, found.rows);
    const shared = found.having.includes('duplicate-id');
    return {
      reasons: found.having,
      group: [valueAt(found.rows[0]!.values, id)],
      since: null,
      keeper: shared ? keeper : undefined,
      byHand: !shared,
      rows: found.rows.map((row, index) =>
        shared
          ? index === keeper
            ? {row, verdict: 'keep', why: `keeps the id that ${found.rows.length} rows share: the lowest key`}
            : {row, verdict: 'assign', why: `${found.rows.length} rows share this id`}
          : {row, verdict: 'none', why: evidence['wrong-format-id']!},
      ),
    };
  };

const parts = (config: Config): Part[] => {
  const id = idOf(config);
  const tags: Record<string, Pred> = {
    'null-id': {is: 'null', of: id},
    'missing-id': {is: 'missing', of: id},
    'empty-id': {is: 'empty', of: id},
    'wrong-type-id': isOfWrongType(id),
  };
  return [
    {
      name: 'rows',
      group: [id],
      form: {form: 'rows', from: config.table, where: {any: Object.values(tags)}, show: show(config), tags},
      judge: found => {
        const row = found.rows[0]!;
        const byDefault = row.tags.some(tag => tag !== 'wrong-type-id');
        return {
          reasons: row.tags,
          group: [valueAt(row.values, config.id)],
          since: null,
          byHand: !byDefault,
          rows: [
            {row, verdict: byDefault ? 'assign' : 'none', why: row.tags.map(tag => evidence[tag]).join('; ')},
          ],
        };
      },
    },
    {
      name: 'shared',
      group: [id],
      form: {
        form: 'groups',
        from: config.table,
        where: isText(config),
        key: [id],
        having: {
          'duplicate-id': [{min: 2}],
          ...Object.fromEntries(
            Object.entries(wrongFormat(config)).map(([name, of]) => [name, [{of, min: 1}]]),
          ),
        },
        show: show(config),
        tags: wrongFormat(config),
      },
      judge: sharedGroup(config.id),
    },
  ];
};

/** A UUID of version 4 (RFC 9562), or the bytes in hex. */
const newId = (config: Config, bytes: Buffer): string => {
  if (config.idFormat !== 'uuid') return bytes.toString('hex');
  const uuid = Buffer.from(bytes);
  uuid[6] = (uuid[6]! & 0x0f) | 0x40;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  return uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

type Context = PlanContext<Config>;

const change = (action: string, {config, idBytes}: Context, row: Row, still: Pred): Change => {
  const common = {
    table: config.table,
    identity: row.identity,
    version: row.version!,
    image: row.image!,
    still,
  };
  if (action === 'delete') return {...common, op: 'delete'};
  return {
    ...common,
    op: 'update',
    set: {
      [config.id]: {value: newId(config, idBytes(config.table, row.identity))},
      ...(config.touch ? {[config.touch]: {now: true as const, zone: config.timeZone}} : {}),
    },
  };
};

const planTask = (
  action: string,
  context: Context,
  {part, found, reasons: dealt, keeper: chosen}: Task,
): Unit => {
  const {config} = context;
  const form = part.form;
  if (form.form === 'rows') {
    const row = found.rows[0]!;
    return {
      group: null,
      changes: [change(action, context, row, {any: dealt.map(reason => form.tags[reason]!).filter(Boolean)})],
    };
  }
  // Rows that only have the wrong format change all of them; a shared id stays with one row.
  const all = dealt.includes('wrong-format-id');
  const rule = chosen ? {by: 'identity' as const, identity: chosen} : {by: 'first' as const};
  const keeper = all ? -1 : decideKeeper(rule, found.rows);
  const key = toJson(found.key![0]);
  return {
    group: all
      ? null
      : {
          table: config.table,
          where: {all: [isText(config), {in: [key as string], of: idOf(config)}]},
          keep: rule,
          keeper: found.rows[keeper]?.identity ?? null,
        },
    changes: found.rows
      .filter((_, index) => index !== keeper)
      .map(row => change(action, context, row, isText(config))),
  };
};

const actions: ActionMeta[] = [
  {name: 'assign-ids', text: 'Gives each row a new unique id; of rows that share one, one keeps it.'},
  {name: 'delete', text: 'Deletes the rows; of rows that share an id, one stays.'},
];

export const nullIds: Check<Config> = {
  kind: 'null-ids',
  text: 'Rows whose id is null, missing, empty, of the wrong type or format, or shared with another row.',
  healthy: config => `Every row has a ${config.id} of its own.`,
  reasons,
  actions,
  table: config => config.table,
  columns: config => [config.id, ...(config.touch ? [config.touch] : [])],
  needs: config => [{table: config.table, columns: show(config)}],
  parts,
  offered: () => actions,
  async *plan(action, tasks, context): AsyncIterable<Unit> {
    for (const task of tasks) yield planTask(action, context, task);
  },
  customerOf: (config, row) => valueAt(row.values, config.id),
  guards: nullIdsGuards,
  identities: (config, shapes) => {
    const shape = shapes[config.table];
    const began = createdNames.filter(
      name => !shape?.columns || shape.columns.some(item => item.name === name),
    );
    return [
      {
        table: config.table,
        sessions: true,
        where: [
          ...[config.id, ...(shape?.key ?? [])].map((attr): IdentityColumn => ({of: {attr}, names: 'row'})),
          ...guessedEmails(shape),
        ],
        form: match => ({
          form: 'rows',
          from: config.table,
          where: match,
          show: show(config, began),
          tags: {},
        }),
      },
    ];
  },
  since: (config, row) =>
    momentOf(row, [...createdNames, ...(config.touch ? [config.touch] : [])], config.timeZone),
  hinders: Object.fromEntries(
    Object.entries(lost).map(([reason, text]): [string, Hinders] => [
      reason,
      {
        what: 'has lost a conversation',
        text,
        action: 'assign-ids',
        by: reason === 'duplicate-id' ? 'group' : 'id',
      },
    ]),
  ),
};
