import type {Backend} from './postgres-backend.js';
import {errorIn, query, rowsIn} from './postgres-messages.js';

/** A client's settings (name to value) on top of the server's defaults, as it will find them at its next turn. */
export type Session = {settings: Map<string, string>};

/** These two are no part of what RESET ALL resets, nor of pg_settings. */
const CURRENT = `select name, setting from pg_settings where source = 'session'
  union all select name, current_setting(name) from (values ('session_authorization'), ('role')) as own (name)`;

/**
 * Gives each client its own settings, although all share one backend: time zone, timeouts, read-only and role of
 * one must not become another's. What a backend keeps besides is shared: temporary tables, session-level advisory
 * locks, SQL's PREPARE, and LISTEN.
 */
export class Sessions {
  #applied: string | undefined;

  private constructor(
    readonly backend: Backend,
    readonly defaults: Map<string, string>,
  ) {}

  static async start(backend: Backend): Promise<Sessions> {
    return new Sessions(backend, await current(backend));
  }

  /** Makes the backend's settings those of a session. Only in its turn, outside a transaction. */
  async enter(session: Session): Promise<void> {
    const wanted = textOf(session.settings);
    if (this.#applied === wanted) return;
    const {session_authorization: user, role, ...rest} = Object.fromEntries(session.settings);
    const ordered = Object.entries({...rest, session_authorization: user, role}).filter(([, value]) => value);
    const calls = ordered.map(([name, value]) => `set_config(${quoted(name)}, ${quoted(value!)}, false)`);
    const reply = await this.backend.execute([
      query('reset session authorization; reset role; reset all'),
      query(`select ${calls.join(', ')}`),
    ]);
    this.#applied = errorIn(reply) ? undefined : wanted;
  }

  /** Remembers what a session has set. Only in its turn, outside a transaction. */
  async remember(session: Session): Promise<void> {
    session.settings = await current(this.backend);
    this.#applied = textOf(session.settings);
  }

  /** Says that the backend's settings are nobody's: a client went away in the middle of something. */
  forget(): void {
    this.#applied = undefined;
  }
}

const current = async (backend: Backend): Promise<Map<string, string>> =>
  new Map(rowsIn(await backend.execute([query(CURRENT)])).map(([name, setting]) => [name!, setting ?? '']));

const textOf = (settings: Map<string, string>): string => JSON.stringify([...settings].sort());

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** How long a session waits for others: the shorter of its two timeouts that would end such a wait, in ms; 0: for ever. */
export const waitLimit = ({settings}: Session): {limitMs: number; byLock: boolean} => {
  const [lock, statement] = ['lock_timeout', 'statement_timeout'].map(name =>
    Number(settings.get(name) ?? 0),
  );
  const byLock = lock! > 0 && (statement === 0 || lock! <= statement!);
  return {limitMs: byLock ? lock! : statement!, byLock};
};

/** The settings that a start-up message asks for: parameters by name, and `-c name=value` in `options`. */
export const requestedSettings = (parameters: Map<string, string>): Map<string, string> => {
  const settings = new Map<string, string>();
  for (const [name, value] of parameters)
    if (!['user', 'database', 'options', 'replication', 'client_encoding'].includes(name))
      settings.set(name, value);
  const options = (parameters.get('options') ?? '').matchAll(/(?:-c\s*|--)([\w.]+)=((?:\\.|\S)*)/g);
  for (const [, name, value] of options) settings.set(name!, value!.replaceAll(/\\(.)/g, '$1'));
  return settings;
};
