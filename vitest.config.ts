import {defineConfig} from 'vitest/config';

const results = process.env.VITEST_RESULTS;

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // Needs backends of its own, which the embedded PostgreSQL does not have.
    exclude: process.env.SESSTUI_TEST_PG === 'server' ? [] : ['test/connectors/postgres-faults.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // Tests start real servers and child processes: more at once than cores would only make them wait.
    maxWorkers: 2,
    ...(results ? {reporters: ['default', 'json'], outputFile: {json: results}} : {}),
  },
});
