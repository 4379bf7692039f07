/** Shiplog without HTTP: a real store, the real ingest, the real tail. */
import { createRedactor } from '../../src/domain/redact/redact.ts';
import { createIngest, type Ingest } from '../../src/ingest/ingest.ts';
import type { Log } from '../../src/log.ts';
import type { Store } from '../../src/store/store.ts';
import { createTail, type TailSettings } from '../../src/tail/create-tail.ts';
import type { Tail } from '../../src/tail/tail.ts';
import { quietLog, testSettings } from './engines.ts';

export interface Shiplog {
  store: Store;
  ingest: Ingest;
  tail: Tail;
  close(): Promise<void>;
}

/** The store stays the caller's. */
export async function startShiplog(
  store: Store,
  settings: Partial<TailSettings> = {},
  log: Log = quietLog,
): Promise<Shiplog> {
  const tail = await createTail(
    store,
    { heartbeatMs: 2_000, staleAfterMs: testSettings.staleAfterMs, now: Date.now, ...settings },
    log,
  );
  const ingest = createIngest({
    store,
    redactor: createRedactor(),
    publish: (events) => tail.publish(events),
    now: settings.now ?? Date.now,
    log: quietLog,
  });
  return {
    store,
    ingest,
    tail,
    async close() {
      await ingest.close();
      await tail.close();
    },
  };
}
