/** The settings under which the contract is tested: a fixed clock, small bounds. */
import type { ViewSettings } from '../../src/store/store.ts';

export const contractSettings: ViewSettings = {
  staleAfterMs: 300_000,
  retentionDays: 30,
  maxEventsPerTask: 10_000,
  queryTimeoutMs: 20_000,
  now: () => 1_760_000_400_000,
};
