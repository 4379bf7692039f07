/** Shiplog without HTTP: a real store, the real ingest, the real tail. */
import { createRedactor } from '../../src/domain/redact/redact.ts';
import { createIngest, type Ingest } from '../../src/ingest/ingest.ts';
import { Mappings } from '../../src/senders/mapping/mappings.ts';
import { createSenders, type Senders } from '../../src/senders/senders.ts';
import type { Log } from '../../src/log.ts';
import type { Store } from '../../src/store/store.ts';
import { createTail, type TailSettings } from '../../src/tail/create-tail.ts';
import type { Tail } from '../../src/tail/tail.ts';
import { quietLog, testSettings } from './engines.ts';

export interface Shiplog {
  store: Store;
  ingest: Ingest;
  senders: Senders;
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
  const now = settings.now ?? Date.now;
  return {
    store,
    ingest,
    senders: createSenders({ ingest, mappings: new Mappings(), now, log: quietLog }),
    tail,
    async close() {
      await ingest.close();
      await tail.close();
    },
  };
}
