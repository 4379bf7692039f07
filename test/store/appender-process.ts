/**
 * A process that appends until it is killed: its first argument is the data directory, its second
 * names the round. It prints the ids of each batch when it was acknowledged, one batch a line.
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { aFleet } from './events.ts';
import { contractSettings } from './settings.ts';

const [dataDir = '', round = '0'] = process.argv.slice(2);
const store = await openSqliteStore({ dataDir, settings: contractSettings });
const events = aFleet({ seed: 1_000 + Number(round), tasks: 40, hosts: 20 });
let at = 0;

async function lane(): Promise<void> {
  while (at < events.length) {
    const batch = events.slice(at, at + 20);
    at += 20;
    const outcomes = await store.append(batch);
    const stored = batch.filter((_, index) => outcomes[index]?.outcome === 'STORED');
    writeSync(1, `${stored.map(({ id }) => id).join(' ')}\n`);
  }
}
await Promise.all([lane(), lane()]);
