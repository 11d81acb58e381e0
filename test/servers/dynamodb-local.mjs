/** DynamoDB Local, AWS's own, from Maven. */
import {execFile} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {cached} from './cache.mjs';

const run = promisify(execFile);
const version = '2.5.3';
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sesstui</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>${version}</version></dependency>
  </dependencies>
</project>
`;

/** The folder of its jars and native libraries; fetched by Maven when it isn't there. */
export const dynamodbLocal = async () => {
  const folder = await cached(`dynamodb-local-${version}`, async into => {
    await writeFile(join(into, 'pom.xml'), pom);
    await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], {cwd: into});
  });
  return join(folder, 'lib');
};

/** Arguments of `java`: in memory, and with no word to AWS about its use. */
export const dynamodbLocalArgs = (lib, port) => [
  `-Djava.library.path=${lib}`,
  '-cp',
  `${lib}/*`,
  'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
  '-inMemory',
  '-disableTelemetry',
  '-port',
  String(port),
];

/** What it calls itself, as in `DynamoDB Local 2.5.3`. */
export const dynamodbLocalVersion = async lib => {
  const {stdout} = await run('java', [...dynamodbLocalArgs(lib, 0).slice(0, 4), '-version']);
  return `DynamoDB Local ${/(\d+\.\d+\.\d+)/.exec(stdout)?.[1]}`;
};
