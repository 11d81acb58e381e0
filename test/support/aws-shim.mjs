/** `aws dynamodb OPERATION --option VALUE …` over the SDK: the options are the request's, in kebab case, as JSON or text. */
import {
  DescribeTableCommand,
  DynamoDBClient,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';

const [service, operation, ...rest] = process.argv.slice(2);
if (service !== 'dynamodb') throw new Error(`there is no ${service} here`);

const commands = {
  scan: ScanCommand,
  'describe-table': DescribeTableCommand,
  'update-table': UpdateTableCommand,
  'update-item': UpdateItemCommand,
  'transact-write-items': TransactWriteItemsCommand,
};
const pascal = text => text.replaceAll(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase());
const given = text => (/^[[{]/.test(text) ? JSON.parse(text) : text);
const input = {};
let [query, output] = [null, 'json'];
for (let i = 0; i < rest.length; i++) {
  const name = rest[i].replace(/^--/, '');
  if (rest[i + 1] === undefined || rest[i + 1].startsWith('--')) {
    input[pascal(name)] = true;
    continue;
  }
  const value = rest[++i];
  if (name === 'query') query = value;
  else if (name === 'output') output = value;
  else input[pascal(name)] = given(value);
}

const client = new DynamoDBClient({
  region: 'eu-west-1',
  endpoint: process.env.AWS_ENDPOINT_URL,
  credentials: {accessKeyId: 'local', secretAccessKey: 'local'},
});
const {$metadata: _, ...answer} = await client.send(new commands[operation](input));
/** AWS's own reads a scan to its last page, and adds up the counts where it prints JSON. */
let start = answer.LastEvaluatedKey;
while (operation === 'scan' && start) {
  const page = await client.send(new ScanCommand({...input, ExclusiveStartKey: start}));
  answer.Count += page.Count;
  start = page.LastEvaluatedKey;
}
client.destroy();

/** The queries that the scripts make. */
const isCount = operation === 'scan' && query === 'Count' && output === 'json';
const asked = /^Table\.GlobalSecondaryIndexes\[\?IndexName=='([\w.-]+)'\]\.IndexStatus \| \[0\]$/.exec(
  query ?? '',
);
if (query !== null && !isCount && (!asked || output !== 'text')) throw new Error(`unknown query: ${query}`);
if (asked) {
  const indexes = answer.Table.GlobalSecondaryIndexes ?? [];
  console.log(indexes.find(({IndexName}) => IndexName === asked[1])?.IndexStatus ?? 'None');
} else if (isCount) console.log(answer.Count);
else console.log(JSON.stringify(answer));
