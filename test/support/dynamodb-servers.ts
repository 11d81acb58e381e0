/** DynamoDB for tests: the demo's own server, or real ones: DynamoDB Local and dynoxide. */
import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {newFolder, startChild} from '../servers/child-server.mjs';
import {dynamodbLocal, dynamodbLocalArgs, dynamodbLocalVersion} from '../servers/dynamodb-local.mjs';
import {dynoxide, dynoxideVersion} from '../servers/dynoxide.mjs';
import {isAsked, noteServer, onRealServers} from './asked.js';

export type DynamodbServer = {endpoint: string; stop(): Promise<void>};
export type DynamodbServerKind = {name: string; start(): Promise<DynamodbServer>};

const startFront = async (): Promise<DynamodbServer> => {
  const {endpoint, close} = await startDynamodbFront({indexMs: 200});
  return {endpoint, stop: close};
};

const endpointOf = (port: number): string => `http://127.0.0.1:${port}`;

const startProcess = async (
  name: string,
  command: string,
  args: (port: number) => string[],
): Promise<DynamodbServer> => {
  const {port, stop} = await startChild(async port => ({
    command,
    args: args(port),
    env: {DDB_LOCAL_TELEMETRY: '0'},
    folder: await newFolder(name),
    answers: async () => {
      await fetch(endpointOf(port));
      return true;
    },
  }));
  return {endpoint: endpointOf(port), stop};
};

export const startDynamodbLocal = async (): Promise<DynamodbServer> => {
  const lib = await dynamodbLocal();
  const server = await startProcess('dynamodb-local', 'java', port => dynamodbLocalArgs(lib, port));
  noteServer('DynamoDB Local', await dynamodbLocalVersion(lib));
  return server;
};

export const startDynoxide = async (): Promise<DynamodbServer> => {
  const program = await dynoxide();
  const server = await startProcess('dynoxide', program, port => ['--port', String(port)]);
  noteServer('dynoxide', await dynoxideVersion(program));
  return server;
};

/** The servers that this run tests on. */
export const dynamodbServers = (): DynamodbServerKind[] =>
  onRealServers
    ? [
        {name: 'DynamoDB Local', start: startDynamodbLocal},
        {name: 'dynoxide', start: startDynoxide},
      ].filter(({name}) => isAsked(name))
    : [{name: 'dynalite', start: startFront}];
