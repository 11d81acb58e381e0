import {defineConfig} from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Tests start real servers and child processes: more at once than cores would only make them wait.
    maxWorkers: 2,
  },
});
