/** The write path as AWS CLI commands, for writers in any language to follow. Pure. */
import {templateNames} from '../../../source/forms.js';
import type {Types, WritePathRule} from './definition.js';
import {comment, quoted, quotedJson} from './shell.js';

/** What the script can't be written for; null when it can. */
export const whyNoWritePath = (
  {canonicalId, groupBy, idAttribute}: WritePathRule,
  key: string[],
): string | null => {
  if (canonicalId === null) return 'The check has no canonicalId: a writer has no key to write under.';
  if (groupBy.length !== 1 || templateNames(canonicalId).some(name => name !== groupBy[0]))
    return `The canonical id ${canonicalId} is made of more than one attribute: write it as below for a single one.`;
  if (key.length !== 1 || key[0] !== idAttribute)
    return `The key of the table is ${key.join(', ')}: a writer has to give all of it, as below for a single attribute.`;
  return null;
};

/** `sess_{accountId}` with the shell's $1 in it. */
const canonical = (template: string): string =>
  template
    .split(/(\{[^{}]+\})/)
    .filter(part => part !== '')
    .map(part => (/^\{[^{}]+\}$/.test(part) ? '"$1"' : quoted(part)))
    .join('');

const iam = ({table, canonicalId}: WritePathRule): string[] => {
  const start = canonicalId!.slice(0, canonicalId!.indexOf('{'));
  return start === ''
    ? []
    : comment([
        '',
        'IAM can narrow down which keys a writer may use, by the beginning of the id; a writer that makes up ids of its own',
        "is refused then. It can't see whether the id fits the account, and refuses an undo that puts such a row back:",
        JSON.stringify({
          Effect: 'Allow',
          Action: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
          Resource: `arn:aws:dynamodb:*:*:table/${table}`,
          Condition: {'ForAllValues:StringLike': {'dynamodb:LeadingKeys': [`${start}*`]}},
        }),
      ]);
};

/** JSON with the shell's words in it: `'{"S":'"$id"'}'`. */
const withWords = (value: unknown, words: Record<string, string>): string =>
  Object.entries(words).reduce(
    (text, [mark, word]) => text.replaceAll(JSON.stringify(mark), `'"$${word}"'`),
    quotedJson(value),
  );

const [idMark, groupMark, nowMark] = ['\u0001id', '\u0001group', '\u0001now'];
const marks = {[idMark]: 'id', [groupMark]: 'group', [nowMark]: 'now'};

const sessionUpdate = (rule: WritePathRule, types: Types) => {
  const {table, groupBy, idAttribute, createdAt = 'createdAt', updatedAt = 'updatedAt'} = rule;
  const [group, id] = [groupBy[0]!, idAttribute!];
  return {
    TableName: table,
    Key: {[id]: {[types[id] ?? 'S']: idMark}},
    UpdateExpression: 'SET #g = :g, #c = if_not_exists(#c, :now), #u = :now',
    ExpressionAttributeNames: {'#g': group, '#c': createdAt, '#u': updatedAt},
    ExpressionAttributeValues: {':g': {[types[group] ?? 'S']: groupMark}, ':now': {S: nowMark}},
  };
};

/** The account's reference: the id itself, or (`inside`) under the key's name in the map that is there. */
const reference = (rule: WritePathRule, types: Types, inside: boolean) => {
  const {table, key, attribute} = rule.referencedBy!;
  const [group, id] = [rule.groupBy[0]!, rule.idAttribute!];
  return {
    TableName: table,
    Key: {[key]: {[types[group] ?? 'S']: groupMark}},
    UpdateExpression: inside ? 'SET #r.#i = :id' : 'SET #r = :id',
    ConditionExpression: inside ? 'attribute_type(#r, :map)' : 'NOT attribute_type(#r, :map)',
    ExpressionAttributeNames: {'#r': attribute, ...(inside && {'#i': id})},
    ExpressionAttributeValues: {':id': {[types[id] ?? 'S']: idMark}, ':map': {S: 'M'}},
  };
};

const commands = (rule: WritePathRule, types: Types): string[] => {
  const session = sessionUpdate(rule, types);
  if (!rule.referencedBy) {
    const {TableName, Key, UpdateExpression, ExpressionAttributeNames, ExpressionAttributeValues} = session;
    return [
      `  aws dynamodb update-item --table-name ${quoted(TableName)} --key ${withWords(Key, marks)} \\`,
      `    --update-expression ${quoted(UpdateExpression)} \\`,
      `    --expression-attribute-names ${quotedJson(ExpressionAttributeNames)} \\`,
      `    --expression-attribute-values ${withWords(ExpressionAttributeValues, marks)}`,
    ];
  }
  const write = (inside: boolean): string =>
    withWords([{Update: session}, {Update: reference(rule, types, inside)}], marks);
  return [
    ...comment(['The account holds the id itself, or a map with it: one of the two conditions holds.']).map(
      line => `  ${line}`,
    ),
    `  aws dynamodb transact-write-items --transact-items ${write(false)} 2>/dev/null ||`,
    `    aws dynamodb transact-write-items --transact-items ${write(true)}`,
  ];
};

export const writePathUp = (rule: WritePathRule, types: Types): string[] => [
  ...comment([
    `Writes a row of ${rule.table} the one way that keeps it single: an update under the canonical id, which makes the row`,
    'where it is not there. Twice, or many at once, is one row. DynamoDB can not be made to refuse other ways of writing.',
    `    bash FILE upsert VALUE    the row of the ${rule.groupBy[0]} VALUE`,
    'Moments are written as ISO 8601 here: write them as the rows that are there have them.',
  ]),
  ...iam(rule),
  'json() {',
  `  case $1 in *[[:cntrl:]]*) echo 'Control characters are not taken.' >&2; return 1 ;; esac`,
  `  local text=\${1//\\\\/\\\\\\\\}`,
  `  printf '"%s"' "\${text//\\"/\\\\\\"}"`,
  '}',
  'upsert() {',
  '  local id group now',
  `  id=$(json ${canonical(rule.canonicalId!)})`,
  '  group=$(json "$1")',
  '  now=$(json "$(date -u +%Y-%m-%dT%H:%M:%SZ)")',
  ...commands(rule, types),
  '}',
  `if [ "\${1:-}" = upsert ]; then upsert "\${2:?the value is missing}"; fi`,
];
