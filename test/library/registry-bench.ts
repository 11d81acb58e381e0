/** The registry's table for the tests of its function, and what migration 000009 makes of it. */
import type pg from 'pg';
import {registryTables} from '../../source/demo/seed-registry.js';

/** `000009_add_unique_session_keys_constraint`. */
export const migration = `
create or replace function sort_varchar_array(arr varchar[]) returns varchar[] language sql immutable as
  $$ select array(select unnest(arr) order by 1) $$;
create or replace function sort_session_ids_trigger() returns trigger language plpgsql as
  $$ begin new.session_ids := sort_varchar_array(new.session_ids); return new; end $$;
create trigger trigger_sort_session_ids before insert or update on app_session_keys
  for each row execute function sort_session_ids_trigger();
alter table app_session_keys add constraint unique_device_stream_session_ids
  unique (device_key, stream_id, session_ids)`;

export const freshRegistry = async (client: pg.Client, ...guards: string[]): Promise<void> => {
  await client.query(['drop table if exists app_session_keys', registryTables, ...guards].join(';\n'));
};

export const registryConfiguration = (url: string): object => ({
  stores: {
    registry: {
      kind: 'postgres',
      url,
      checks: [
        {
          check: 'duplicates',
          table: 'app_session_keys',
          groupBy: ['device_key', 'stream_id', 'session_ids'],
          unordered: ['session_ids'],
          payload: ['message_envelope'],
        },
      ],
    },
  },
});

export type KeysRow = {
  device_key: string;
  stream_id: string;
  session_ids: string[];
  message_envelope: Buffer;
};

export const keysIn = async (client: pg.Client): Promise<KeysRow[]> =>
  (
    await client.query<KeysRow>(
      'select device_key, stream_id, session_ids, message_envelope from app_session_keys order by created_at, session_ids',
    )
  ).rows;
