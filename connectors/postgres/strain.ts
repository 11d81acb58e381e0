/**
 * Does the server need a rest? Two signs that every role can see something of: standbys that fall behind, and
 * backends that wait for locks on the tables that are written to. How many backends are busy is not one of them:
 * no number is right for every server, and a server that is busy shows it by taking longer.
 */
import type {Run} from './session.js';

/** gh-ost waits from 1.5 s of lag, pt-online-schema-change from 1 s. */
const lagLimitMs = 1500;
/** A lock is always waited for somewhere; not for this long. */
const waitLimitMs = 500;
/** The question's own time limit: a server that can't answer it in time is not asked for more. */
export const questionLimitMs = 1000;

/** A standby's place in the write-ahead log, in bytes; null where this role may not see it. */
type Standby = {pid: string; name: string; replayed: bigint; lagMs: number};

/**
 * `replay_lag` stands still while a standby's replay does, and some services never fill it. So each standby is
 * held to a mark: the log's end at an earlier question, and when that was. A standby that has not replayed as far
 * is at least as old as the mark.
 */
type Mark = {end: bigint; at: number};

// Positions are told as distances from the log's beginning. A subscriber's (a logical slot's) moves only when it
// confirms, which may be seldom by intention.
const standbysText = `select r.pid::text, coalesce(nullif(r.application_name, ''), 'a standby'),
    pg_catalog.pg_wal_lsn_diff(r.replay_lsn, '0/0')::text,
    coalesce((extract(epoch from r.replay_lag) * 1000)::int8, 0)::text,
    pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::text,
    (extract(epoch from pg_catalog.clock_timestamp()) * 1000)::int8::text
  from pg_catalog.pg_stat_replication r
  where r.state in ('streaming', 'catchup') and r.replay_lsn is not null and not pg_catalog.pg_is_in_recovery()
    and not exists (select from pg_catalog.pg_replication_slots s where s.active_pid = r.pid and s.slot_type = 'logical')`;

// Whoever waits for a row's lock waits for a transaction, and holds a lock of its own on the table. An index that is
// built concurrently waits for every old transaction (virtualxid), which a rest does not help. The view is read once,
// since each reading is of another moment. Before version 14 it does not say since when.
const waitersText = `with l as materialized (select pid, relation, granted, locktype,
      case when not granted then to_jsonb(k) ->> 'waitstart' end as since, database from pg_catalog.pg_locks k)
  select count(distinct w.pid)::text from l w where not w.granted and w.locktype not in ('virtualxid', 'advisory') and w.pid <> pg_catalog.pg_backend_pid()
    and coalesce(pg_catalog.clock_timestamp() - w.since::timestamptz > $2::interval, true)
    and exists (select from l h where h.pid = w.pid and h.relation = any ($1::oid[])
      and h.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))`;

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

export class Strain {
  readonly #marks = new Map<string, Mark>();

  /** Words, or null. `tables`: the oids of those that are written to. May throw what the server says. */
  async ask(run: Run, tables: string[]): Promise<string | null> {
    await run({text: `set local statement_timeout = ${questionLimitMs}`, values: []});
    return (await this.#lag(run)) ?? (await waiting(run, tables));
  }

  async #lag(run: Run): Promise<string | null> {
    const rows = await run({text: standbysText, values: []});
    const seen = new Set(rows.map(([pid]) => pid!));
    for (const pid of this.#marks.keys()) if (!seen.has(pid)) this.#marks.delete(pid);
    let worst: {name: string; lagMs: number; bytes: bigint} | null = null;
    for (const [pid, name, replayed, told, end, at] of rows as string[][]) {
      const standby = {pid: pid!, name: name!, replayed: BigInt(replayed!), lagMs: Number(told)};
      const lagMs = this.#lagOf(standby, {end: BigInt(end!), at: Number(at)});
      if (lagMs > (worst?.lagMs ?? lagLimitMs))
        worst = {name: standby.name, lagMs, bytes: BigInt(end!) - standby.replayed};
    }
    if (!worst) return null;
    return `the standby ${worst.name} is ${seconds(worst.lagMs)} s behind (${Number(worst.bytes >> 10n)} kB of log)`;
  }

  #lagOf({pid, replayed, lagMs}: Standby, now: Mark): number {
    const mark = this.#marks.get(pid);
    if (!mark || replayed >= mark.end) this.#marks.set(pid, now);
    // What is told of a standby that has caught up is about earlier.
    if (replayed >= now.end) return 0;
    return Math.max(lagMs, mark && replayed < mark.end ? now.at - mark.at : 0);
  }
}

const waiting = async (run: Run, tables: string[]): Promise<string | null> => {
  if (tables.length === 0) return null;
  const values = [`{${tables.join(',')}}`, `${waitLimitMs} milliseconds`];
  const [row] = await run({text: waitersText, values});
  const count = Number(row?.[0] ?? 0);
  if (count === 0) return null;
  return count === 1
    ? 'another client waits for a lock on the table'
    : `${count} other clients wait for locks on the table`;
};
