/** SQLite: the server is killed with `kill -9` under load, again and again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { startServer } from '../../test/support/server.ts';
import { SoakLoad } from './load.ts';
import type { Soak } from './soak.ts';

const KILLS = 20;

export const kill: Soak = {
  name: 'kill',
  about: `${KILLS} times kill -9 under load on SQLite`,
  minutes: 2,
  async run({ minutes, say }) {
    const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-soak-'));
    let server = await startServer({ dataDir });
    const { port, url } = server;
    const load = new SoakLoad('soak');
    await load.start([url, url, url, url], [url, url, url]);
    let slowestStart = 0;
    const betweenMs = (minutes * 60_000) / KILLS;
    for (let killed = 1; killed <= KILLS; killed++) {
      await pause(betweenMs * (0.5 + Math.random()));
      await server.kill();
      const startedAt = performance.now();
      server = await startServer({ dataDir, port });
      slowestStart = Math.max(slowestStart, performance.now() - startedAt);
      say(`killed ${killed} of ${KILLS}; ${load.acknowledged.toLocaleString('en')} acknowledged`);
    }
    await pause(betweenMs / 2);
    await load.stopWriting();
    const { stored, broken } = await load.verdict(url);
    await server.stop();
    const database = new DatabaseSync(join(dataDir, 'shiplog.db'), { readOnly: true });
    const { integrity_check } = database.prepare('PRAGMA integrity_check').get() as {
      integrity_check: string;
    };
    database.close();
    if (integrity_check !== 'ok') broken.push(`integrity_check: ${integrity_check}`);
    await rm(dataDir, { recursive: true, force: true });
    return {
      summary: `${KILLS} kills, ${load.acknowledged.toLocaleString('en')} acknowledged, ${stored.toLocaleString('en')} stored, 3 tails, ${load.watchers} that came and went; integrity ok; slowest start ${(slowestStart / 1_000).toFixed(1)} s`,
      broken,
    };
  },
};
