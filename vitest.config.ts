import { defineConfig } from 'vitest/config';

export default defineConfig({
  // As Node itself resolves: with "development" tests would load a second copy of graphql.
  ssr: { resolve: { conditions: ['node', 'module-sync'] } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/elasticsearch/global-setup.ts'],
    // Real servers, real sockets, real processes: a loaded machine may take its time.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: ['default', './test/summary-reporter.ts'],
  },
});
