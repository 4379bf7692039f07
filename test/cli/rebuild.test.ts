import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { aFleet } from '../store/events.ts';
import { contractSettings, fill, wholeLog } from '../store/harness.ts';
import { foldLog } from '../store/oracle.ts';
import { runCli } from '../support/cli.ts';

describe('shiplog rebuild on the embedded store', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shiplog-rebuild-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));
  const rebuild = (...more: string[]) => runCli(['rebuild', '--data-dir', dataDir, ...more]);

  it('tells how many events it folded, and draws nothing where there is no terminal', async () => {
    const store = await openSqliteStore({ dataDir, settings: contractSettings });
    await fill(store, aFleet({ seed: 3 }));
    const events = await store.eventCount();
    const refused = await rebuild();
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^shiplog: Another Shiplog server is using/);
    await store.close();
    const told = await rebuild();
    expect({ ...told }).toMatchObject({ code: 0, stdout: '' });
    expect(told.stderr).toMatch(
      new RegExp(`^${events.toLocaleString('en')} events folded in [\\d.]+ s\n$`),
    );
    const { code, stdout, stderr } = await rebuild('--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ events, seconds: expect.any(Number) });
  });

  it('makes nothing where there is no database', async () => {
    const { code, stderr } = await runCli(['rebuild', '--data-dir', join(dataDir, 'none')]);
    expect(code).toBe(2);
    expect(stderr).toContain('to rebuild');
  });
});

describe('shiplog rebuild on Elasticsearch', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  afterAll(() => elasticsearch.cleanUp());

  it('folds anew while a server is serving, and both end with the same views', async () => {
    const prefix = elasticsearch.prefix();
    const serving = await openElasticsearchStore({
      config: { urls: [elasticsearch.url], shards: 1, replicas: 0, prefix },
      settings: contractSettings,
    });
    try {
      await fill(serving, aFleet({ seed: 7 }));
      const rebuilding = runCli([
        ...['rebuild', '--json', '--store', 'elasticsearch', '--elasticsearch-url'],
        ...[elasticsearch.url, '--elasticsearch-prefix', prefix, '--elasticsearch-replicas', '0'],
      ]);
      await fill(serving, aFleet({ seed: 8 }));
      const { code, stdout } = await rebuilding;
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ events: expect.any(Number) });
      const log = await wholeLog(serving);
      await serving.viewsReach(log.map(({ position }) => position));
      const { tasks, runs } = foldLog(log);
      expect(await serving.tasksById(tasks.map(({ id }) => id))).toEqual(tasks);
      expect(await serving.runsByKey(runs)).toEqual(runs);
    } finally {
      await serving.close();
    }
  });
});
