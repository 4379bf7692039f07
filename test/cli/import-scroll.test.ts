/** `shiplog import` of an index without sequence numbers, which is scrolled: on a real node, with faults. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Gate, openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { runCli, startCli } from '../support/cli.ts';

/** Three pages of a scroll. */
const DOCUMENTS = 1_200;
const NEXT_PAGE = /^POST \/_search\/scroll/;
const CLEARED = /^DELETE \/_search\/scroll/;

const elasticsearch = await sharedElasticsearch();

describe.skipIf(elasticsearch === null)('an index without sequence numbers', () => {
  const url = elasticsearch?.url ?? '';
  const prefix = elasticsearch?.prefix() ?? '';
  const index = `${prefix}-bare`;
  const numbered = `${prefix}-numbered`;
  const dir = mkdtempSync(join(tmpdir(), 'shiplog-scroll-'));
  let runs = 0;
  let gate: Gate;
  let shiplog: HttpFixture;

  async function ask(method: string, path: string, body = ''): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const init = body === '' ? { method } : { method, headers, body };
    const response = await fetch(`${url}/${path}`, init);
    const text = await response.text();
    if (!response.ok || text.includes('"errors":true')) throw new Error(text.slice(0, 500));
    return text;
  }

  async function openScrolls(): Promise<number> {
    const stats = JSON.parse(await ask('GET', `${index}/_stats/search`)) as {
      _all: { total: { search: { scroll_current: number } } };
    };
    return stats._all.total.search.scroll_current;
  }

  beforeAll(async () => {
    const settings = { number_of_shards: 2, number_of_replicas: 0 };
    const bare = { ...settings, 'index.disable_sequence_numbers': true };
    await ask('PUT', index, JSON.stringify({ settings: bare, mappings: { dynamic: false } }));
    await ask('PUT', numbered, JSON.stringify({ settings, mappings: { dynamic: false } }));
    const lines = Array.from({ length: DOCUMENTS }, (_, i) => {
      const time = new Date(Date.UTC(2026, 10, 20) + i).toISOString();
      const source = { '@timestamp': time, message: `line ${i}`, task: { id: 'old' } };
      return `{"index":{"_id":"d${i}"}}\n${JSON.stringify(source)}\n`;
    });
    await ask('POST', `${index}/_bulk?refresh=true`, lines.join(''));
    await ask('POST', `${numbered}/_bulk?refresh=true`, lines.slice(0, 10).join(''));
  }, 60_000);
  afterAll(() => elasticsearch?.cleanUp(prefix));
  beforeEach(async () => {
    gate = await openGate(url);
    shiplog = await startHttpFixture();
  });
  afterEach(async () => {
    gate.close();
    await shiplog.close();
  });

  function command(indices = index): { args: string[]; state: string } {
    const state = join(dir, `${++runs}.state.json`);
    const rejected = join(dir, `${runs}.rejected.ndjson`);
    const from = ['--elasticsearch', gate.url, '--index', indices];
    const kept = ['--state', state, '--rejected', rejected];
    return { args: ['import', '--url', shiplog.url, '--json', ...kept, ...from], state };
  }

  /** Every one of them is stored, once. */
  async function expectAll(): Promise<void> {
    expect(await shiplog.store.eventCount()).toBe(DOCUMENTS);
    const page = { limit: DOCUMENTS, backward: false, after: null, before: null, around: null };
    const [found] = await shiplog.store.events([
      { filter: { taskId: 'old' }, order: 'TIME', page: { ...page, withTotal: false } },
    ]);
    const messages = found?.rows.map(({ node }) => node.message) ?? [];
    expect(messages).toEqual(Array.from({ length: messages.length }, (_, i) => `line ${i}`));
  }

  it('is read once from its first document to its last, and nothing of it stays open on the cluster', async () => {
    const done = await runCli(command().args);
    expect(JSON.parse(done.stdout)).toEqual({
      documents: DOCUMENTS,
      stored: DOCUMENTS,
      duplicates: 0,
      rejected: 0,
      finished: true,
    });
    expect(done.stderr).toContain(`${index} has no sequence numbers`);
    await expectAll();
    expect(gate.answered(CLEARED)).toBe(1);
    expect(await openScrolls()).toBe(0);
  });

  it('misses nothing where the answer with a page is lost, though the cluster has gone on behind it', async () => {
    gate.loseAnswer(NEXT_PAGE);
    const done = await runCli(command().args);
    expect(gate.lost()).toBe(1);
    expect(JSON.parse(done.stdout)).toMatchObject({ stored: DOCUMENTS, finished: true });
    expect(done.stderr).toContain('is read from its start again');
    await expectAll();
    expect(await openScrolls()).toBe(0);
  });

  it('misses nothing where a shard cannot take part in a page, which the cluster says beside the others', async () => {
    gate.damage(NEXT_PAGE, (text) => {
      gate.damage(null);
      const answer = JSON.parse(text) as { _shards: { failed: number }; hits: { hits: unknown[] } };
      answer._shards.failed = 1;
      answer.hits.hits.splice(0, 200);
      return JSON.stringify(answer);
    });
    const done = await runCli(command().args);
    expect(gate.damaged()).toBe(1);
    expect(JSON.parse(done.stdout)).toMatchObject({ stored: DOCUMENTS, finished: true });
    await expectAll();
  });

  it('is let go on the cluster by an interrupt, and is told and read from its start again after it', async () => {
    const { args, state } = command();
    const waiting = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    let pages = 0;
    gate.before(async (path) => {
      if (path.startsWith('/_search/scroll') && ++pages === 2) {
        waiting.resolve();
        await opened.promise;
        return 'cut';
      }
      return 'pass';
    });
    const stopped = startCli(args);
    await waiting.promise;
    stopped.child.kill('SIGINT');
    const first = await stopped.ended;
    opened.resolve();
    expect(first.code).toBe(130);
    expect(gate.answered(CLEARED)).toBe(1);
    expect(await openScrolls()).toBe(0);
    expect(existsSync(state)).toBe(true);
    const again = await runCli(args);
    expect(again.stderr).not.toContain('which are done');
    expect(JSON.parse(again.stdout)).toMatchObject({ documents: DOCUMENTS, finished: true });
    await expectAll();
  });

  it('is read from a cluster that tells totals as plain numbers, and beside an index that has numbers', async () => {
    // As Elasticsearch 6 does, and 7 with rest_total_hits_as_int.
    gate.damage(/_search/, (text) =>
      text.replace(/"total":\{"value":(\d+),"relation":"\w+"\}/, '"total":$1'),
    );
    const done = await runCli(command(`${prefix}-*`).args);
    expect(gate.damaged()).toBeGreaterThan(0);
    expect(JSON.parse(done.stdout)).toMatchObject({
      documents: DOCUMENTS + 10,
      rejected: 0,
      finished: true,
    });
    expect(done.stderr).toContain(`2 indices: ${index}, ${numbered}: 1,210 documents`);
  });
});
