/** Checks whose guards are put under faults: their tables with faults in them, and what the store says of its rules. */
import type {GuardInfo} from '../../source/guards.js';
import {newPlace, type Place, sesstui} from './child.js';
import type {Scenario} from './scenario.js';

/** Every guard of a check, the opt-in ones too, but for those that no server can have. */
const guardsOf: Record<string, string[]> = {
  'registry/duplicates': ['sort-trigger', 'unique'],
  'gym/device-sessions': ['one-background', 'protect-background', 'row-security'],
  'rides/stale-sessions': ['auto-cancel', 'one-open-session'],
  'chat/null-ids': ['unique-id', 'id-validator'],
  'kite/duplicates': ['account-index'],
};

export type Guarded = {
  check: string;
  /** Those of its guards that this server can have. */
  guards: string[];
  scenario: Scenario;
  place: Place;
  /** As the store was before any guard. */
  before: string;
  /** All that the store says of the tables' rules; equal exactly where nothing of them differs. */
  catalogue(): Promise<string>;
};

export type GuardStage = {
  /** With its version. */
  server: string;
  checks: string[];
  /** The tables anew, with their faults, and a state directory that nothing was in. */
  fresh(check: string): Promise<Guarded>;
  /** Keeps an index from being finished until it is called again; null where nothing does. */
  hold: (() => Promise<() => Promise<void>>) | null;
  stop(): Promise<void>;
};

export const guardedOf = async (
  scenario: Scenario,
  catalogue: () => Promise<string>,
  guards = guardsOf[scenario.check]!,
): Promise<Guarded> => ({
  check: scenario.check,
  guards,
  scenario,
  place: await newPlace(scenario),
  before: await catalogue(),
  catalogue,
});

/** `guards install CHECK --clean --yes` of all guards of the check. */
export const installWords = ({check, guards}: Guarded): string[] => [
  'guards',
  'install',
  check,
  '--clean',
  '--yes',
  ...guards.flatMap(name => ['--guard', name]),
];

export const uninstallWords = ({check, guards}: Guarded): string[] => [
  'guards',
  'uninstall',
  check,
  '--yes',
  ...guards.flatMap(name => ['--guard', name]),
];

/** Each guard's state, by name, as the command line tells it. */
export const statesOf = async ({place, check}: Guarded): Promise<Record<string, string>> => {
  const {stdout, stderr} = await sesstui(place, ['guards', check]);
  if (stdout === '') throw new Error(stderr);
  const {guards} = JSON.parse(stdout) as {guards: GuardInfo[]};
  return Object.fromEntries(guards.map(({guard, state}) => [guard, state]));
};
