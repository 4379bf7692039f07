/**
 * What every engine promises. An engine's test file calls `describeStoreContract` and nothing
 * else of this; views may lag behind the log, so the suite waits by `viewsReach` before it looks
 * at them.
 */
import { describe } from 'vitest';
import { describeCaps } from './contract-caps.ts';
import { describeEventQueries } from './contract-events.ts';
import { describeFreshReads } from './contract-fresh.ts';
import { describeLifecycle } from './contract-lifecycle.ts';
import { describeLog } from './contract-log.ts';
import { describePromises } from './contract-promises.ts';
import { describeStatistics } from './contract-statistics.ts';
import { describeTies } from './contract-ties.ts';
import { describeViews } from './contract-views.ts';
import type { OpenStore } from './harness.ts';

export function describeStoreContract(name: string, open: OpenStore): void {
  describe(`The store of ${name}`, () => {
    describeLog(open);
    describeEventQueries(open);
    describeTies(open);
    describeViews(open);
    describeFreshReads(open);
    describeStatistics(open);
    describePromises(open);
    describeCaps(open);
    describeLifecycle(open);
  });
}
