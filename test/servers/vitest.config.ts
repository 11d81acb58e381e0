/** What runs on real servers: the tests of connectors that need a server, and the systems. */
import {defineConfig} from 'vitest/config';
import base from '../../vitest.config.js';

const names = (process.env.SESSTUI_TEST_SERVERS ?? '').split(',');
const countOf = (...kinds: string[]): number =>
  names.filter(name => kinds.some(kind => name.startsWith(kind))).length;
const all = names.includes('1');
const servers = {
  postgres: all ? 2 : countOf('PostgreSQL'),
  dynamodb: all ? 2 : countOf('DynamoDB Local', 'dynoxide'),
  mongodb: (all ? 1 : countOf('FerretDB')) + (process.env.SESSTUI_TEST_MONGO_URL ? 1 : 0),
};
const counts = Object.values(servers);

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: [
      ...Object.entries(servers)
        .filter(([, count]) => count > 0)
        .map(([kind]) => `test/connectors/${kind}*.test.ts`),
      ...(Math.min(...counts) > 0 ? ['test/systems/first-set.servers.ts'] : []),
      ...(Math.min(...counts) > 0 && Math.max(...counts) > 1 ? ['test/systems/second-set.servers.ts'] : []),
    ],
    // Needs no server, and was tested by `npm test`.
    exclude: ['**/*-compile.test.ts'],
  },
});
