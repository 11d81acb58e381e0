/**
 * DynamoDB for tests: always the demo's own server; with SESSTUI_TEST_SERVERS=1 also DynamoDB Local, fetched by
 * Maven into a cache folder, and dynoxide where its package is installed.
 */
import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {type AddressInfo, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {promisify} from 'node:util';
import {
  type AttributeValue,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  type ScalarAttributeType,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';

export type DynamodbServer = {endpoint: string; stop(): Promise<void>};
export type DynamodbServerKind = {name: string; start(): Promise<DynamodbServer>};

const run = promisify(execFile);

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
};

const startFront = async (): Promise<DynamodbServer> => {
  const {endpoint, close} = await startDynamodbFront();
  return {endpoint, stop: close};
};

/** Waits until something speaks HTTP there; rejects when the process ends first. */
const whenListening = async (endpoint: string, child: ChildProcess): Promise<void> => {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`);
    try {
      await fetch(endpoint);
      return;
    } catch {
      await pause(50);
    }
  }
};

const startProcess = async (
  command: string,
  args: (port: number) => string[],
  cwd?: string,
): Promise<DynamodbServer> => {
  const port = await freePort();
  const child = spawn(command, args(port), {stdio: 'ignore', cwd});
  const ended = new Promise(resolve => child.once('exit', resolve));
  // Nothing outlives a test run that failed before it could stop its servers.
  process.once('exit', () => child.kill('SIGKILL'));
  const endpoint = `http://127.0.0.1:${port}`;
  await whenListening(endpoint, child);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return {endpoint, stop};
};

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sesstui</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>2.5.3</version></dependency>
  </dependencies>
</project>
`;

const startLocal = async (): Promise<DynamodbServer> => {
  const folder = join(tmpdir(), 'sesstui-dynamodb-local');
  const lib = join(folder, 'lib');
  if (!existsSync(lib)) {
    await mkdir(folder, {recursive: true});
    await writeFile(join(folder, 'pom.xml'), pom);
    await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], {cwd: folder});
  }
  const main = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner';
  // It leaves a file of its own where it was started.
  const args = (port: number): string[] => [
    `-Djava.library.path=${lib}`,
    '-cp',
    `${lib}/*`,
    main,
    '-inMemory',
    '-port',
    String(port),
  ];
  return startProcess('java', args, folder);
};

const dynoxide = (): string | null => {
  try {
    return createRequire(import.meta.url).resolve('@dynoxide/linux-x64/dynoxide');
  } catch {
    return null;
  }
};

/** The servers that this run tests on. */
export const dynamodbServers = (): DynamodbServerKind[] => {
  const front = {name: 'dynalite', start: startFront};
  if (process.env.SESSTUI_TEST_SERVERS !== '1') return [front];
  const binary = dynoxide();
  return [
    front,
    {name: 'DynamoDB Local', start: startLocal},
    ...(binary
      ? [{name: 'dynoxide', start: () => startProcess(binary, port => ['--port', String(port)])}]
      : []),
  ];
};

/** A client that is independent of the connector. */
export const rawClient = (endpoint: string): DynamoDBClient => {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  return new DynamoDBClient({
    region: 'eu-west-1',
    endpoint,
    credentials: {accessKeyId: 'local', secretAccessKey: 'local'},
  });
};

export type RawItem = Record<string, AttributeValue>;
export type KeyTypes = Record<string, ScalarAttributeType>;

const isMissing = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ResourceNotFoundException';

/** Deletes a table and waits until it is gone. */
export const dropTable = async (client: DynamoDBClient, table: string): Promise<void> => {
  try {
    await client.send(new DeleteTableCommand({TableName: table}));
    for (;;) {
      await client.send(new DescribeTableCommand({TableName: table}));
      await pause(10);
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
};

/** A new table with these items; `key` is the hash key, then the range key; `index` a global index on one attribute. */
export const makeTable = async (
  client: DynamoDBClient,
  table: string,
  key: KeyTypes,
  items: RawItem[],
  index: KeyTypes = {},
): Promise<void> => {
  await dropTable(client, table);
  const schema = (names: string[]) =>
    names.map((AttributeName, i) => ({
      AttributeName,
      KeyType: i === 0 ? ('HASH' as const) : ('RANGE' as const),
    }));
  const indexed = Object.keys(index);
  await client.send(
    new CreateTableCommand({
      TableName: table,
      AttributeDefinitions: Object.entries({...key, ...index}).map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType,
      })),
      KeySchema: schema(Object.keys(key)),
      BillingMode: 'PAY_PER_REQUEST',
      ...(indexed.length > 0 && {
        GlobalSecondaryIndexes: indexed.map(name => ({
          IndexName: `${name}-index`,
          KeySchema: schema([name]),
          Projection: {ProjectionType: 'KEYS_ONLY' as const},
        })),
      }),
    }),
  );
  for (;;) {
    const {Table} = await client.send(new DescribeTableCommand({TableName: table}));
    if (Table?.TableStatus === 'ACTIVE') break;
    await pause(10);
  }
  for (let i = 0; i < items.length; i += 20)
    await Promise.all(
      items.slice(i, i + 20).map(Item => client.send(new PutItemCommand({TableName: table, Item}))),
    );
};

/** Every item of a table, in no order. */
export const scanTable = async (client: DynamoDBClient, table: string): Promise<RawItem[]> => {
  const found: RawItem[] = [];
  for (let start: RawItem | undefined; ; ) {
    const page = await client.send(
      new ScanCommand({TableName: table, ConsistentRead: true, ...(start && {ExclusiveStartKey: start})}),
    );
    found.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
    if (!start) return found;
  }
};
