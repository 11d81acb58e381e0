/** What runs on real servers: the tests of connectors that need a server, and the systems. */
import {defineConfig} from 'vitest/config';
import base from '../../vitest.config.js';

const names = (process.env.SESSTUI_TEST_SERVERS ?? '').split(',');
const countOf = (...kinds: string[]): number =>
  names.filter(name => kinds.some(kind => name.startsWith(kind))).length;
const all = names.includes('1');
/** MongoDB itself. */
const itself = (all ? 1 : countOf('MongoDB 6')) + (process.env.SESSTUI_TEST_MONGO_URL ? 1 : 0);
const servers = {
  postgres: all ? 2 : countOf('PostgreSQL'),
  dynamodb: all ? 2 : countOf('DynamoDB Local', 'dynoxide'),
  mongodb: (all ? 1 : countOf('FerretDB')) + itself,
};
// The systems need one server of each kind, and never somebody's own MongoDB, whose databases are not theirs to fill.
const fillable = all ? 2 : countOf('FerretDB', 'MongoDB 6');
const sets =
  servers.postgres && servers.dynamodb && fillable
    ? Math.max(servers.postgres, servers.dynamodb, fillable)
    : 0;

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: [
      ...Object.entries(servers)
        .filter(([, count]) => count > 0)
        .map(([kind]) => `test/connectors/${kind}*.test.ts`),
      ...(servers.postgres > 0
        ? ['gym', 'registry', 'rides-held', 'connections'].map(name => `test/library/${name}.servers.ts`)
        : []),
      ...['first', 'second'].slice(0, sets).map(name => `test/systems/${name}-set.servers.ts`),
      ...(Object.values(servers).some(count => count > 0) ? ['test/library/rides.servers.ts'] : []),
      ...(itself > 0 ? ['test/demo/mongodb.servers.ts'] : []),
      ...(servers.mongodb > 0 ? ['test/library/chat.servers.ts'] : []),
      ...(servers.dynamodb > 0 ? ['test/library/kite.servers.ts'] : []),
      // On the embedded PostgreSQL, with a browser and promtool.
      'test/watch/page.servers.ts',
    ],
    // Needs no server, and was tested by `npm test`.
    exclude: ['**/*-compile.test.ts'],
  },
});
