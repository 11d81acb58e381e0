/** The registry's devices as they used to write: after a restart all keys again, in whatever order they came. */
import type pg from 'pg';
import {reordered, type SessionKeys, sessionKeys} from './seed-registry.js';
import type {Traffic} from './traffic-loop.js';
import {connectPostgres, disconnectPostgres, isPostgresRefusal} from './traffic-postgres.js';

const rememberedKeys = 60;
const insertKeys = `insert into app_session_keys (device_key, stream_id, session_ids, message_envelope)
  values ($1, $2, $3::varchar[], $4::bytea)`;
const someKeys = `select device_key, stream_id, session_ids, message_envelope::text from app_session_keys
  where array_length(session_ids, 1) > 1 limit ${rememberedKeys}`;

export const registryTraffic = (url: string): Traffic<pg.Client> => {
  let own: SessionKeys[] = [];
  return {
    connect: connectPostgres(url),
    disconnect: disconnectPostgres,
    isRefusal: isPostgresRefusal,
    step: async (client, random, count, faulty) => {
      if (own.length === 0) own = (await client.query<SessionKeys>(someKeys)).rows;
      const restart = own.length > 0 && random.chance(0.7);
      const keys = restart ? random.pick(own) : sessionKeys(random, random.int(2, 6));
      const ids = restart ? reordered(random, keys.session_ids) : keys.session_ids;
      const insert = () =>
        client.query(insertKeys, [keys.device_key, keys.stream_id, ids, keys.message_envelope]);
      if (restart) {
        await faulty(insert);
        return;
      }
      await insert();
      count();
      own.push(keys);
      if (own.length > rememberedKeys) own.shift();
    },
  };
};
