/** The index as AWS CLI commands and as CloudFormation. Pure. */
import type {TableDescription} from '@aws-sdk/client-dynamodb';
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

const wait = (condition: string): string =>
  `while [ "$state" ${condition} ]; do sleep "\${WAIT_SECONDS:-5}"; state=$(status); done`;

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
    `  aws dynamodb update-table --table-name ${quoted(TableName)} \\`,
    `    --attribute-definitions ${quotedJson(AttributeDefinitions)} \\`,
    `    --global-secondary-index-updates ${quotedJson(GlobalSecondaryIndexUpdates)} >/dev/null`,
    '  state=$(status)',
    'fi',
    wait('!= ACTIVE'),
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
