import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/**
 * What takes its time: run by name, as in `npm test -- cluster` (three nodes, which are killed and cut
 * off), `npm test -- senders-docker` (a real Docker engine) or `npm test -- senders-slow` (programs that
 * have to be built). `.ci/run` runs them all.
 */
const BY_NAME = ['cluster', 'senders-docker', 'senders-slow'];
const unnamed = BY_NAME.filter((name) => !process.argv.some((arg) => arg.includes(name)));

// Most of starting a process is compiling: the commands and servers that tests start do it once,
// as `bin/shiplog.js` does for its users.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('.cache/compile', import.meta.url));

export default defineConfig({
  // As Node itself resolves: with "development" tests would load a second copy of graphql.
  ssr: { resolve: { conditions: ['node', 'module-sync'] } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...unnamed.map((name) => `**/${name}.test.ts`)],
    globalSetup: ['test/elasticsearch/global-setup.ts'],
    // Real servers, real sockets, real processes: a loaded machine may take its time. A quarter of a
    // test is waiting, so three files at a time keep two cores busy.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 10_000 } },
    maxWorkers: 3,
    // A worker takes file after file: for one of its own each would load the server anew, which is
    // more work than most of them do. So nothing of a file may outlast it: what is changed outside of
    // it (clocks, the environment, V8's flags) is put back, what is opened is closed.
    isolate: false,
    // Those that are concurrent wait for most of their time.
    maxConcurrency: 20,
    reporters: ['default', './test/summary-reporter.ts'],
  },
});
