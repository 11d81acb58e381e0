/** The index as AWS CLI commands and as CloudFormation. Pure. */
import type {TableDescription} from '@aws-sdk/client-dynamodb';
import {longestKeys} from '../key-kinds.js';
import {
  creationOf,
  creationRequest,
  definitionsOf,
  type IndexRule,
  indexNameOf,
  removalRequest,
  type Types,
} from './definition.js';
import {comment, quoted, quotedJson} from './shell.js';

/** An index's name holds nothing that a query of the CLI would read otherwise. */
const statusOf = ({table, name}: {table: string; name: string}): string[] => [
  'status() {',
  `  aws dynamodb describe-table --table-name ${quoted(table)} --output text \\`,
  `    --query ${quoted(`Table.GlobalSecondaryIndexes[?IndexName=='${name}'].IndexStatus | [0]`)}`,
  '}',
  'state=$(status)',
];

const again = `sleep "\${WAIT_SECONDS:-5}"; state=$(status)`;

const wait = (condition: string): string => `while [ "$state" ${condition} ]; do ${again}; done`;

/** How often the index may not be there when it is looked for: what DynamoDB tells may be some seconds old. */
const mostAbsences = 12;

const waitUntilBuilt = (name: string, table: string): string[] => [
  'absent=0',
  'while [ "$state" != ACTIVE ]; do',
  '  if [ "$state" = None ]; then absent=$((absent + 1)); else absent=0; fi',
  `  if [ "$absent" -ge ${mostAbsences} ]; then`,
  `    echo ${quoted(`The index ${name} of ${table} is gone again: somebody has removed it. Run this again if it is wanted.`)} >&2`,
  '    exit 1',
  '  fi',
  `  ${again}`,
  'done',
];

/** Stops where rows have a key that the index would leave out, and DynamoDB refuse from then on. */
const countOthers = ({columns, table}: IndexRule, types: Types): string[] => {
  const names = Object.fromEntries(columns.map((name, at) => [`#a${at}`, name]));
  const values: Record<string, unknown> = {':null': {S: 'NULL'}};
  const filters = columns.map((name, at) => {
    const type = types[name]!;
    values[`:t${at}`] = {S: type};
    // A number has no size.
    const sized = type === 'N' ? '' : ` AND size(#a${at}) BETWEEN :least AND :most${at}`;
    if (sized) Object.assign(values, {':least': {N: '1'}, [`:most${at}`]: {N: String(longestKeys[at])}});
    const fits = `attribute_type(#a${at}, :t${at})${sized}`;
    return `(attribute_exists(#a${at}) AND NOT attribute_type(#a${at}, :null) AND NOT (${fits}))`;
  });
  const listed = columns.map(name => `${name} (${types[name]})`).join(', ');
  return [
    `  others=$(aws dynamodb scan --table-name ${quoted(table)} --consistent-read --select COUNT --output json \\`,
    `    --query Count --filter-expression ${quoted(filters.join(' OR '))} \\`,
    `    --expression-attribute-names ${quotedJson(names)} --expression-attribute-values ${quotedJson(values)})`,
    '  if [ "$others" != 0 ]; then',
    `    echo "$others "${quoted(`rows of ${table} have another type of ${listed}, an empty or too long one: the index would leave them out, and DynamoDB refuse to write them again. Mend them first.`)} >&2`,
    '    exit 1',
    '  fi',
  ];
};

const cloudFormation = (rule: IndexRule, table: TableDescription, types: Types): string[] => {
  const snippet = {
    AttributeDefinitions: definitionsOf(rule, types),
    GlobalSecondaryIndexes: [creationOf(rule, table)],
  };
  return comment([
    '',
    'With CloudFormation, these belong to the properties of its AWS::DynamoDB::Table instead (beside those that are there;',
    'it adds one index a deployment):',
    ...JSON.stringify(snippet, null, 2).split('\n'),
  ]);
};

export const indexUp = (rule: IndexRule, table: TableDescription, types: Types): string[] => {
  const name = indexNameOf(rule);
  const {TableName, AttributeDefinitions, GlobalSecondaryIndexUpdates} = creationRequest(rule, table, types);
  return [
    ...comment([
      `Adds the index ${name} to ${TableName}, beside all reads and writes, and waits until it answers. From then on`,
      `DynamoDB refuses rows whose ${rule.columns.join(', ')} is null, empty or of another type; it takes rows without.`,
    ]),
    ...cloudFormation(rule, table, types),
    ...statusOf({table: rule.table, name}),
    wait('= DELETING'),
    'if [ "$state" = None ]; then',
    ...countOthers(rule, types),
    `  aws dynamodb update-table --table-name ${quoted(TableName)} \\`,
    `    --attribute-definitions ${quotedJson(AttributeDefinitions)} \\`,
    `    --global-secondary-index-updates ${quotedJson(GlobalSecondaryIndexUpdates)} >/dev/null`,
    '  state=$(status)',
    'fi',
    ...waitUntilBuilt(name, TableName),
    `echo ${quoted(`The index ${name} of ${TableName} is there.`)}`,
  ];
};

export const indexDown = (rule: IndexRule): string[] => {
  const name = indexNameOf(rule);
  const {GlobalSecondaryIndexUpdates} = removalRequest(rule, rule.table);
  return [
    ...comment([`Removes the index ${name} from ${rule.table}, and waits until it is gone.`]),
    ...statusOf({table: rule.table, name}),
    wait('= CREATING'),
    'if [ "$state" != None ] && [ "$state" != DELETING ]; then',
    `  aws dynamodb update-table --table-name ${quoted(rule.table)} \\`,
    `    --global-secondary-index-updates ${quotedJson(GlobalSecondaryIndexUpdates)} >/dev/null`,
    '  state=$(status)',
    'fi',
    wait('!= None'),
    `echo ${quoted(`The index ${name} of ${rule.table} is gone.`)}`,
  ];
};
