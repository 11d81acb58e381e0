/** The three checks of PostgreSQL whose guards are put under faults: their tables, and what the catalogue says of them. */
import type {GuardInfo} from '../../source/guards.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {openClient, type PostgresServer, startServer} from '../support/postgres.js';
import {newPlace, type Place, sesstui} from './child.js';
import type {Scenario} from './scenario.js';
import {openPostgresScenarios} from './scenarios-postgres.js';

/** Every guard of a check, the opt-in ones too. */
export const guardsOf: Record<string, string[]> = {
  'registry/duplicates': ['sort-trigger', 'unique'],
  'gym/device-sessions': ['one-background', 'protect-background', 'row-security'],
  'rides/stale-sessions': ['auto-cancel', 'one-open-session'],
};

export type Guarded = {
  check: string;
  scenario: Scenario;
  place: Place;
  /** As the tables were before any guard. */
  before: string;
  catalogue(): Promise<string>;
};

/** `guards install CHECK --clean --yes` for all guards of the check, by name. */
export const installWords = (check: string): string[] => [
  'guards',
  'install',
  check,
  '--clean',
  '--yes',
  ...guardsOf[check]!.flatMap(name => ['--guard', name]),
];
export const uninstallWords = (check: string): string[] => [
  'guards',
  'uninstall',
  check,
  '--yes',
  ...guardsOf[check]!.flatMap(name => ['--guard', name]),
];

export const openGuarded = async (start: () => Promise<PostgresServer> = startServer) => {
  const server = await start();
  const {scenarios, stop} = await openPostgresScenarios(async () => server);
  const client = await openClient(server);
  return {
    server,
    client,
    /** The tables anew, with their faults, and a state directory that nothing was in. */
    async fresh(check: string): Promise<Guarded> {
      const scenario = scenarios.find(found => found.check === check)!;
      await client.query('drop schema public cascade; create schema public');
      await scenario.reset();
      const catalogue = () => catalogueDump(client);
      return {check, scenario, place: await newPlace(scenario), before: await catalogue(), catalogue};
    },
    async stop(): Promise<void> {
      await client.end();
      await stop();
    },
  };
};

/** Each guard's state, by name, as the command line tells it. */
export const statesOf = async ({place, check}: Guarded): Promise<Record<string, string>> => {
  const {stdout, stderr} = await sesstui(place, ['guards', check]);
  const {guards} = JSON.parse(stdout || `{"guards":[{"guard":${JSON.stringify(stderr)}}]}`) as {
    guards: GuardInfo[];
  };
  return Object.fromEntries(guards.map(({guard, state}) => [guard, state]));
};
