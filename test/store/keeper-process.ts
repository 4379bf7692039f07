/** A Shiplog server's store in a process of its own, for tests that kill it: URL, prefix, count. */
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import { anEvent } from './events.ts';
import { contractSettings, positionOf } from './harness.ts';

const [url = '', prefix = '', count = '0'] = process.argv.slice(2);
const store = await openElasticsearchStore({
  config: { urls: [url], shards: 1, replicas: 0, prefix, leaseMs: 1_500 },
  settings: contractSettings,
});
const events = Array.from({ length: Number(count) }, (_, i) =>
  anEvent({ taskId: 'kept', eventId: `first-${i}`, host: `web-${i % 7}` }),
);
const [first] = await store.append(events.slice(0, 1));
// The lease is held when its first event is folded; the rest may be folded or not at the kill.
if (first !== undefined) await store.viewsReach([positionOf(first)]);
await store.append(events.slice(1));
process.stdout.write('appended\n');
setInterval(() => undefined, 60_000);
