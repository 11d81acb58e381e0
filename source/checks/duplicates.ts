/**
 * Several rows where there should be one: the same account with several sessions, the same set of session keys
 * inserted again. Also what goes with it where it is configured: ids that are not canonical, references to rows
 * that are not there, copies that differ.
 */
import type {DuplicatesConfig} from '../config/schema.js';
import type {Found, Row} from '../connector.js';
import {exprValue, valueAt} from '../evaluate.js';
import type {Having, Pred} from '../forms.js';
import type {ActionMeta, ReasonMeta} from '../types.js';
import {toText, type Value} from '../values.js';
import {ageOfMoment, type Check, type Judged, momentOf, type Part, type Shapes} from './check.js';
import {duplicatesGuards} from './duplicates-guards.js';
import {duplicatesIdentities} from './duplicates-identities.js';
import {planDuplicates} from './duplicates-plan.js';
import {
  createdNames,
  idAttribute,
  keepRule,
  keepsLatest,
  keyOf,
  referenceOf,
  rowTags,
  show,
} from './duplicates-rules.js';
import {decideKeeper, isCanonical, latestMoment} from './keeper.js';

type Config = DuplicatesConfig;

const reasons: ReasonMeta[] = [
  {
    name: 'duplicate',
    severity: 'warning',
    text: 'Several rows are equal in groupBy.',
    actions: ['keep-latest', 'keep-first', 'keep-canonical', 'rekey', 'delete-non-canonical', 'purge'],
  },
  {
    name: 'payload-differs',
    severity: 'warning',
    text: 'Rows that should be copies are not; taken only by --group or by hand.',
    actions: ['keep-latest', 'keep-first', 'keep-canonical', 'purge'],
  },
  {
    name: 'non-canonical-id',
    severity: 'warning',
    text: "A row's id is not what canonicalId says.",
    actions: ['rekey', 'delete-non-canonical', 'purge'],
  },
  {
    name: 'dangling-reference',
    severity: 'warning',
    text: 'The account refers to a row that is not there.',
    actions: ['repoint'],
  },
  {
    name: 'missing-group-key',
    severity: 'warning',
    text: 'A row lacks a value in groupBy.',
    actions: ['purge'],
  },
  {
    name: 'unreferenced',
    severity: 'info',
    text: 'No account refers to the row.',
    actions: ['repoint', 'purge'],
  },
  {
    name: 'unreadable-time',
    severity: 'info',
    text: 'The moment in latestBy can not be read; the row counts as the oldest.',
    actions: ['purge'],
  },
];

const havingOf = (config: Config, tags: Record<string, Pred>): Record<string, Having[]> => ({
  duplicate: [{min: 2}],
  ...(config.payload.length > 0
    ? {'payload-differs': [{min: 2}, {distinct: config.payload.map(attr => ({attr})), min: 2}]}
    : {}),
  ...Object.fromEntries(
    Object.entries(tags)
      .filter(([name]) => name !== 'no-account')
      .map(([name, of]): [string, Having[]] =>
        // A group is unreferenced when none of its rows is referred to; the copies of a referenced row are not news.
        name === 'unreferenced' ? [name, [{of: {no: of}, max: 0}]] : [name, [{of, min: 1}]],
      ),
  ),
});

const describeRow = (config: Config, row: Row, texts: string[], now: number): string => {
  const micros = config.latestBy
    ? latestMoment(row, config.latestBy, config.timeZone)
    : Number.NEGATIVE_INFINITY;
  const age = Number.isFinite(micros)
    ? [micros <= now ? `last seen ${ageOfMoment(micros, now)} ago` : 'last seen in the future']
    : [];
  return [...texts, ...age].join('; ');
};

const judgeGroup =
  (config: Config, shapes: Shapes) =>
  (found: Found, now: number): Judged => {
    const rule = keepRule(config, shapes);
    const keeper = decideKeeper(rule, found.rows);
    const several = found.rows.length > 1;
    const differs = found.having.includes('payload-differs');
    const template = config.canonicalId ?? null;
    const stays = rule.by === 'latest' ? 'the latest' : 'the first';
    const moment = config.latestBy
      ? latestMoment(found.rows[keeper]!, config.latestBy, config.timeZone)
      : Number.NEGATIVE_INFINITY;
    return {
      reasons: found.having,
      group: found.key!,
      since: Number.isFinite(moment) && moment <= now ? moment : null,
      keeper: several ? keeper : undefined,
      byHand: differs,
      rows: found.rows.map((row, index) => {
        const texts = row.tags.includes('unreadable-time') ? ['its time can not be read'] : [];
        if (template)
          texts.push(
            isCanonical(row, template, idAttribute(config, shapes)) ? 'canonical id' : 'id is not canonical',
          );
        if (differs)
          return {row, verdict: 'none', why: describeRow(config, row, ['copies differ', ...texts], now)};
        if (!several) {
          const account = !row.tags.includes('no-account');
          if (!account) texts.push(`its account is not in ${config.referencedBy!.table}`);
          const moves =
            row.tags.includes('non-canonical-id') || (account && found.having.includes('unreferenced'));
          return {row, verdict: moves ? 'update' : 'none', why: describeRow(config, row, texts, now)};
        }
        const place =
          index === keeper
            ? `stays: ${stays} of ${found.rows.length}`
            : `not ${stays} of ${found.rows.length}`;
        return {
          row,
          verdict: index === keeper ? 'keep' : 'delete',
          why: describeRow(config, row, [place, ...texts], now),
        };
      }),
    };
  };

const judgeRow =
  (reason: string, why: (row: Row) => string, group: (row: Row) => Value[]) =>
  (found: Found): Judged => ({
    reasons: [reason],
    group: group(found.rows[0]!),
    since: null,
    rows: [
      {
        row: found.rows[0]!,
        verdict: reason === 'dangling-reference' ? 'update' : 'none',
        why: why(found.rows[0]!),
      },
    ],
  });

const missingKeyPart = (config: Config, shapes: Shapes): Part => {
  const absent: Pred = {
    any: config.groupBy.map(attr => ({
      any: [
        {is: 'null', of: {attr}},
        {is: 'missing', of: {attr}},
      ],
    })),
  };
  return {
    name: 'missing-group-key',
    group: config.groupBy.map(attr => ({attr})),
    form: {
      form: 'rows',
      from: config.table,
      where: absent,
      show: show(config, shapes),
      tags: {'missing-group-key': absent},
    },
    judge: judgeRow(
      'missing-group-key',
      row => `no ${config.groupBy.filter(name => (valueAt(row.values, name) ?? null) === null).join(', ')}`,
      row => config.groupBy.map(name => valueAt(row.values, name)),
    ),
  };
};

const danglingPart = (config: Config, shapes: Shapes): Part => {
  const {table, key, attribute} = config.referencedBy!;
  const reference = referenceOf(config, shapes);
  const id = idAttribute(config, shapes)!;
  const dangling: Pred = {
    all: [
      {
        no: {
          any: [
            {is: 'missing', of: reference},
            {is: 'null', of: reference},
          ],
        },
      },
      {no: {partner: {table: config.table, on: [[reference, {attr: id}]]}}},
    ],
  };
  return {
    name: 'dangling-reference',
    group: [{attr: key}],
    form: {
      form: 'rows',
      from: table,
      where: dangling,
      show: [key, attribute],
      tags: {'dangling-reference': dangling},
    },
    judge: judgeRow(
      'dangling-reference',
      row => `refers to ${toText(exprValue(reference, row.values))}, which is not in ${config.table}`,
      row => [valueAt(row.values, key)],
    ),
  };
};

const parts = (config: Config, shapes: Shapes): Part[] => {
  const tags = rowTags(config, shapes);
  return [
    {
      name: 'groups',
      group: keyOf(config),
      form: {
        form: 'groups',
        from: config.table,
        where: {all: []},
        key: keyOf(config),
        having: havingOf(config, tags),
        show: show(config, shapes),
        tags,
      },
      judge: judgeGroup(config, shapes),
    },
    ...(config.referencedBy && idAttribute(config, shapes) ? [danglingPart(config, shapes)] : []),
    missingKeyPart(config, shapes),
  ];
};

const actions: ActionMeta[] = [
  {name: 'keep-latest', text: 'Keeps the latest row of a group and deletes the others.'},
  {name: 'keep-first', text: 'Keeps the first row of a group and deletes the others.'},
  {
    name: 'keep-canonical',
    text: 'Keeps the row with the canonical id and deletes the others; a group without one is left alone.',
  },
  {
    name: 'rekey',
    text: 'Moves the latest row to the canonical id, with the earliest createdAt of the group; the others go.',
  },
  {
    name: 'repoint',
    text: 'Makes the account refer to its session; a reference to nothing is removed where the account has none.',
  },
  {
    name: 'delete-non-canonical',
    text: 'Deletes every row whose id is not canonical, though it leaves accounts without a session.',
    drastic: true,
  },
  {name: 'purge', text: 'Deletes every row of the findings.', drastic: true},
];

/** Either keep-latest or keep-first, by the configuration; what speaks of canonical ids only where there are some. */
const offered = (config: Config): ActionMeta[] => {
  const left = [
    keepsLatest(config) ? 'keep-first' : 'keep-latest',
    ...(config.canonicalId ? [] : ['keep-canonical', 'rekey', 'delete-non-canonical']),
    ...(config.referencedBy ? [] : ['repoint']),
  ];
  return actions.filter(({name}) => !left.includes(name));
};

export const duplicates: Check<Config> = {
  kind: 'duplicates',
  text: 'Rows that are equal in groupBy, ids that are not canonical, and references to rows that are not there.',
  healthy: config => `Every ${config.groupBy.join(', ')} has one row.`,
  reasons,
  actions,
  table: config => config.table,
  columns: show,
  needs: config => [
    {table: config.table, columns: [...config.groupBy, ...(config.latestBy ?? []), ...config.payload]},
    ...(config.referencedBy
      ? [
          {
            table: config.referencedBy.table,
            columns: [config.referencedBy.key, config.referencedBy.attribute],
          },
        ]
      : []),
  ],
  parts,
  offered,
  applies: (action, judged) =>
    action === 'repoint'
      ? judged.rows.every(({row}) => !row.tags.includes('no-account'))
      : judged.rows.length > 1 || !action.startsWith('keep-'),
  refuse: (config, shapes) =>
    (config.canonicalId || config.referencedBy) && idAttribute(config, shapes) === null
      ? `canonicalId and referencedBy need a key, and table ${config.table} has none`
      : undefined,
  plan: planDuplicates,
  customerOf: (config, row) => valueAt(row.values, config.groupBy[0]!),
  identities: duplicatesIdentities,
  guards: duplicatesGuards,
  since: (config, row) => momentOf(row, [...createdNames, ...(config.latestBy ?? [])], config.timeZone),
  hinders: {
    'dangling-reference': {
      what: "can't log in",
      text: 'the account refers to a session that is not there',
      action: 'repoint',
      by: 'customer',
    },
  },
};
