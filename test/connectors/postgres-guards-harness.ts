/** A guard keeper beside a client, for tests of guards. */
import {guardKeeper} from '../../connectors/postgres/guards/index.js';
import {usualLimits} from '../../connectors/postgres/guards/limits.js';
import {Known} from '../../connectors/postgres/known.js';
import {Session} from '../../connectors/postgres/session.js';
import {deviceSessionsGuards} from '../../source/checks/device-sessions-guards.js';
import type {GuardKeeper, GuardRule, GuardStep, NamedRule} from '../../source/guards.js';
import type {Json} from '../../source/values.js';
import type {PostgresServer} from '../support/postgres.js';
import {settings} from './postgres-harness.js';

export const columns = {
  id: 'id',
  email: 'email',
  type: 'session_type',
  protected: 'protected',
  fingerprint: 'fingerprint',
  expiresAt: 'expires_at',
  updatedAt: 'updated_at',
  createdAt: 'created_at',
};
const background = deviceSessionsGuards({table: 'auth_sessions', columns} as never)[0]!;
export const oneBackground = background.rule as Extract<GuardRule, {rule: 'one'}>;
export const named: NamedRule = {guard: 'one-background', rule: oneBackground};
export const oneOpen: Extract<GuardRule, {rule: 'one'}> = {
  rule: 'one',
  name: 'rides_one_open_session',
  table: 'rides',
  key: [{attr: 'customer_id'}],
  where: {in: ['waiting', 'live'], of: {attr: 'status'}},
};

export type Opened = {keeper: GuardKeeper; close: () => Promise<void>};

export const openKeeper = (server: PostgresServer, {readOnly = false, limits = usualLimits} = {}): Opened => {
  const session = new Session({...settings, readOnly, url: server.url});
  const known = new Known('pg', ({standIn}) => {
    session.canCancel = standIn === null;
  });
  return {
    keeper: guardKeeper({session, known, store: 'pg', readOnly, limits}),
    close: () => session.close(),
  };
};

/** The step that builds the index. */
export const buildStep = async (keeper: GuardKeeper): Promise<GuardStep> =>
  (await keeper.steps(oneBackground, 'install', {before: null})).find(({name}) => name === 'index')!;

/** As the engine does where no row has to be mended. */
export const move = async (
  keeper: GuardKeeper,
  rule: GuardRule,
  direction: 'install' | 'uninstall',
  before: Json | null = null,
): Promise<string[]> => {
  const answers: string[] = [];
  for (const step of await keeper.steps(rule, direction, {before}))
    answers.push(await keeper.perform(rule, direction, step, {before}));
  return answers;
};
