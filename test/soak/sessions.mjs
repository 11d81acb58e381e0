// What a client that knows nothing of sesstui sees of the sessions: how long stale ones stand, and who is cancelled.
import pg from 'pg';

/** `thresholdMs`: when a waiting session is stale. Moments are the database's. */
export const openSessions = async (url, thresholdMs) => {
  const client = new pg.Client({connectionString: url});
  client.on('error', () => undefined);
  await client.connect();
  /** Waiting sessions by id: when they were seen first. A demo's session may come into the world old. */
  const firstSeen = new Map();
  const active = new Set();
  const seen = {looks: 0, active: 0, longestMs: 0, longest: '', cancelledActive: [], cancelledYoung: []};
  const before = new Set(
    (await client.query(`select id from sessions where status = 'cancelled'`)).rows.map(({id}) => id),
  );
  const look = async () => {
    const {rows} = await client.query(
      `select id, status, extract(epoch from now()) * 1000 as now, extract(epoch from created_at) * 1000 as created,
        extract(epoch from updated_at) * 1000 as updated
       from sessions where status in ('waiting', 'live', 'in_progress', 'cancelled') and id <> all($1::uuid[])`,
      [[...before]],
    );
    seen.looks++;
    const waiting = new Set();
    for (const {id, status, ...times} of rows) {
      const [now, created, updated] = [times.now, times.created, times.updated].map(Number);
      if (status === 'live' || status === 'in_progress') active.add(id);
      else if (status === 'cancelled') {
        if (active.has(id)) seen.cancelledActive.push(id);
        if (updated - created < thresholdMs) seen.cancelledYoung.push(id);
        before.add(id);
      } else if (created !== null && Number.isFinite(created) && created > 0 && created < now) {
        waiting.add(id);
        if (!firstSeen.has(id)) firstSeen.set(id, now);
        const since = Math.max(firstSeen.get(id), created + thresholdMs);
        if (now - since > seen.longestMs) {
          seen.longestMs = now - since;
          seen.longest = `${id} at ${new Date(now).toISOString()}`;
        }
      }
    }
    for (const id of firstSeen.keys()) if (!waiting.has(id)) firstSeen.delete(id);
    seen.active = active.size;
  };
  return {
    seen,
    look,
    /** Counts from now on: the first cleaning of what the demo begins with is over. */
    restart: () => {
      seen.longestMs = 0;
      firstSeen.clear();
    },
    close: () => client.end(),
  };
};
