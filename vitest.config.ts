import {defineConfig} from 'vitest/config';
import {LongestFirst} from './test/faults/longest-first.js';

const results = process.env.VITEST_RESULTS;

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    exclude: [
      // Need backends of their own, which the embedded PostgreSQL does not have.
      ...(process.env.SESSTUI_TEST_PG === 'server' ? [] : ['test/connectors/postgres*-faults.test.ts']),
      // The fault suite takes minutes and real servers: `npm run test:faults`.
      ...(process.env.SESSTUI_TEST_FAULTS === '1' ? [] : ['test/faults/**']),
    ],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // Tests wait for servers and child processes: with one worker for each of two cores, a third of the time was idle.
    maxWorkers: 3,
    ...(process.env.SESSTUI_TEST_FAULTS === '1' ? {sequence: {sequencer: LongestFirst}} : {}),
    ...(results ? {reporters: ['default', 'json'], outputFile: {json: results}} : {}),
  },
});
