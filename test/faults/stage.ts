/** A real PostgreSQL, a configuration and a state directory, and the command line called on them as a user does. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import pg from 'pg';
import {stringify} from 'yaml';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import type {RunResult, ShownChange} from '../../source/types.js';
import {type CliOptions, cli, cliJson, temporaryDirectory} from '../support/cli.js';
import {startServer} from '../support/postgres.js';

/** DynamoDB Local keeps the tables of each access key apart. */
export const keys = {AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local'};

export type ErrorJson = {error: {code: string; message: string; hint: string}};
export type RunJson = RunResult;
export type CheckJson = {
  checks: {
    check: string;
    status: string;
    total: number;
    byReason: Record<string, number>;
    findings: {reasons: string[]; group: unknown; ageSeconds: number | null; rows: {key: object}[]}[];
    error?: {code: string; message: string; hint: string};
  }[];
};

export type Stage = {
  url: string;
  /** As `PostgreSQL 15`, for the table of faults. */
  name: string;
  client: pg.Client;
  sql: (text: string) => Promise<pg.QueryResult>;
  /** The url for another user of the server. */
  as: (user: string) => string;
  close: () => Promise<void>;
};

export const openStage = async (): Promise<Stage> => {
  const server = await startServer();
  const client = new pg.Client(server.url);
  client.on('error', () => undefined);
  await client.connect();
  const [{major}] = (
    await client.query("select split_part(current_setting('server_version'), '.', 1) as major")
  ).rows as [{major: string}];
  return {
    url: server.url,
    name: `PostgreSQL ${major}`,
    client,
    sql: text => client.query(text),
    as: user => {
      const url = new URL(server.url);
      url.username = user;
      return url.href;
    },
    close: async () => {
      await client.end();
      await server.stop();
    },
  };
};

export type Calls = {
  directory: string;
  file: string;
  json: <T>(args: string[], options?: CliOptions) => Promise<{code: number | null; json: T; stderr: string}>;
  text: (args: string[], options?: CliOptions) => ReturnType<typeof cli>;
};

/** The command line on a configuration of its own; with a state directory of its own unless one is given. */
export const configured = async (config: object, state?: string): Promise<Calls> => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'sesstui.yaml');
  await writeFile(file, stringify(config));
  const before = ['--config', file, '--state-dir', state ?? join(directory, 'state')];
  const options = (given: CliOptions = {}): CliOptions => ({...given, env: {...keys, ...given.env}});
  return {
    directory,
    file,
    json: (args, given) => cliJson([...before, ...args], options(given)),
    text: (args, given) => cli([...before, ...args], options(given)),
  };
};

/** What a plan would do, without what is different each time. */
export const changesOf = ({
  changes,
}: Pick<RunResult, 'changes'>): Pick<ShownChange, 'op' | 'table' | 'key'>[] =>
  changes.map(({op, table, key}) => ({op, table, key}));

/** The engine itself on a configuration, for what has to happen between a plan and its run. */
export const engineOn = async (config: object): Promise<FullEngine> =>
  openEngine(configFromObject(config).config, {
    stateDirectory: join(await temporaryDirectory(), 'state'),
    open: openConnector,
  });
