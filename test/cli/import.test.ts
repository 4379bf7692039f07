/** `shiplog import` as a process: a real index of an old system, files, kills in the middle. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { PageKey } from '../../src/domain/cursor/page.ts';
import type { StoredEvent } from '../../src/domain/event/event.ts';
import type { Store } from '../../src/store/store.ts';
import { startPickyProxy } from '../clients/picky-proxy.ts';
import { openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { type HttpFixture, startHttpFixture, stepEvents } from '../http/support.ts';
import { runCli, startCli } from '../support/cli.ts';
import { describeOnEngines } from '../support/engines.ts';

const DOCUMENTS = 5_000;
const RELEASES = 4;
const MAPPING = `
mappings:
  release-service:
    task: releaseId
    host: machine
    step: { path: phase, values: { "1": backup, "2": download } }
    message: content
    time: { path: logTime, format: epoch-ms }
use:
  - index: "*-zzdeploylog*"
    mapping: release-service
`;
const BEGAN = Date.UTC(2024, 2, 1, 8);

const dir = mkdtempSync(join(tmpdir(), 'shiplog-import-'));
let files = 0;
function fileOf(name: string, content: string | Uint8Array = ''): string {
  const file = join(dir, `${files++}-${name}`);
  if (content !== '') writeFileSync(file, content);
  return file;
}
const mapping = fileOf('mapping.yaml', MAPPING);

function documentOf(i: number): object {
  return {
    releaseId: `r-${i % RELEASES}`,
    machine: `web-${i % 7}`,
    phase: 1 + (i % 2),
    content: `line ${i}`,
    logTime: BEGAN + i,
  };
}

async function eventsOf(store: Store, taskId: string): Promise<StoredEvent[]> {
  const rows: StoredEvent[] = [];
  for (let after: PageKey | null = null; ; ) {
    const page = { limit: 1_000, backward: false, after, before: null, around: null };
    const [found] = await store.events([
      { filter: { taskId }, order: 'LOG', page: { ...page, withTotal: false } },
    ]);
    rows.push(...(found?.rows ?? []).map(({ node }) => node));
    const last = found?.rows.at(-1);
    if (found?.hasNextPage !== true || last === undefined) return rows;
    after = last.key;
  }
}

interface Counts {
  documents: number;
  stored: number;
  duplicates: number;
  rejected: number;
  finished: boolean;
}

function countsOf({ stdout }: { stdout: string }): Counts {
  return JSON.parse(stdout) as Counts;
}

const elasticsearch = await sharedElasticsearch();

describe.skipIf(elasticsearch === null)('shiplog import --elasticsearch', () => {
  const url = elasticsearch?.url ?? '';
  const prefix = elasticsearch?.prefix() ?? '';
  const index = `${prefix}-zzdeploylog-2024`;
  const bare = `${prefix}-bare`;

  async function ask(method: string, path: string, body: string): Promise<void> {
    const type = path.includes('_bulk') ? 'application/x-ndjson' : 'application/json';
    const headers = { 'content-type': type };
    const response = await fetch(`${url}/${path}`, { method, headers, body });
    const text = await response.text();
    if (!response.ok || text.includes('"errors":true')) throw new Error(text.slice(0, 500));
  }

  beforeAll(async () => {
    const settings = { number_of_shards: 3, number_of_replicas: 0 };
    const mappings = { dynamic: false };
    await ask('PUT', index, JSON.stringify({ settings, mappings }));
    await ask(
      'PUT',
      bare,
      JSON.stringify({
        settings: { number_of_replicas: 0 },
        mappings: { _source: { enabled: false } },
      }),
    );
    let bulk = '';
    for (let i = 0; i < DOCUMENTS; i++) {
      bulk += `{"index":{"_id":"d${i}"}}\n${JSON.stringify(documentOf(i))}\n`;
    }
    await ask('POST', `${index}/_bulk?refresh=true`, bulk);
    await ask('POST', `${bare}/_bulk?refresh=true`, '{"index":{"_id":"lost"}}\n{"content":"x"}\n');
  }, 60_000);
  afterAll(() => elasticsearch?.cleanUp(prefix));

  describeOnEngines('an index of an old system', (engine) => {
    let store: Store;
    let shiplog: HttpFixture;
    beforeAll(async () => {
      store = await engine.open();
      shiplog = await startHttpFixture({ store });
    });
    afterAll(() => shiplog.close());

    it('is stored once, in the order in which it was written, though the import is killed in the middle', async () => {
      const state = fileOf('state.json');
      const args = [
        ...['import', '--url', shiplog.url, '--json', '--state', state],
        ...['--rejected', fileOf('rejected'), '--mapping', mapping],
        ...['--elasticsearch', url, '--index', index],
      ];
      const killed = startCli(args);
      await vi.waitFor(() => expect(existsSync(state)).toBe(true), {
        timeout: 30_000,
        interval: 2,
      });
      killed.child.kill('SIGKILL');
      await killed.ended;
      const resumed = await runCli(args);
      expect(resumed.stderr).toMatch(/goes on after the first [45],000 documents/);
      // A little is read twice, in case it was being written when it was read first: here that is all.
      const counts = countsOf(resumed);
      expect(counts).toMatchObject({ documents: DOCUMENTS, rejected: 0, finished: true });
      expect(counts.duplicates).toBeGreaterThanOrEqual(4_000);
      expect(await store.eventCount()).toBe(DOCUMENTS);
      for (let release = 0; release < RELEASES; release++) {
        const events = await eventsOf(store, `r-${release}`);
        expect(events.map(({ message }) => message)).toEqual(
          Array.from({ length: DOCUMENTS / RELEASES }, (_, k) => `line ${k * RELEASES + release}`),
        );
        expect(events[0]).toMatchObject({ at: BEGAN + release, source: index, params: null });
      }
    }, 60_000);
  });

  describe('whatever the engine', () => {
    let shiplog: HttpFixture;
    beforeAll(async () => {
      shiplog = await startHttpFixture();
    });
    afterAll(() => shiplog.close());

    it('shows what would be stored, and stores nothing, with --dry-run', async () => {
      const args = ['--dry-run', '2', '--mapping', mapping, '--url', 'http://127.0.0.1:1'];
      const shown = await runCli(['import', ...args, '--elasticsearch', url, '--index', index]);
      expect(shown.code).toBe(0);
      expect(shown.stderr).toContain(`${index}: 5,000 documents; nothing is stored`);
      expect(shown.stdout.match(/"taskId": "r-\d"/g)).toHaveLength(2);
      expect(shown.stdout).toContain('"message": "line 0"');
      expect(shown.stdout).toContain('"at": "2024-03-01T08:00:00.000Z"');
    });

    it('lists what it cannot read in a file, and imports the rest; and says how long old documents stay', async () => {
      const rejected = fileOf('rejected.ndjson');
      const done = await runCli([
        ...['import', '--url', shiplog.url, '--json', '--state', fileOf('state.json')],
        ...['--rejected', rejected, '--mapping', mapping],
        ...['--elasticsearch', url, '--index', `${prefix}-*`],
      ]);
      expect(done.code).toBe(1);
      expect(countsOf(done)).toMatchObject({ stored: DOCUMENTS, rejected: 1, finished: true });
      expect(JSON.parse(readFileSync(rejected, 'utf8'))).toMatchObject({
        _index: bare,
        _id: 'lost',
        problem: { field: '_source' },
      });
      expect(done.stderr).toContain('are of 2024-03-01, and the server keeps events for 30 days');
    });

    it('reads an index from its beginning that got the name of one that was read', async () => {
      const name = `${prefix}-again`;
      const state = fileOf('state.json');
      const write = async (from: number, to: number) => {
        const lines = Array.from({ length: to - from }, (_, at) => {
          const document = { message: `line ${from + at}`, labels: { task: name } };
          return `{"index":{"_id":"${from + at}"}}\n${JSON.stringify(document)}\n`;
        });
        await ask('POST', `${name}/_bulk?refresh=true`, lines.join(''));
        const args = ['--elasticsearch', url, '--index', name, '--state', state];
        return countsOf(await runCli(['import', '--url', shiplog.url, '--json', ...args]));
      };
      // More than is read again in any case.
      expect(await write(0, 10_100)).toMatchObject({ stored: 10_100 });
      await ask('DELETE', name, '');
      expect(await write(20_000, 20_030)).toMatchObject({ documents: 30, stored: 30 });
    });

    it('refuses a state of another import, and never shows a password', async () => {
      const state = fileOf('state.json');
      const address = url.replace('://', '://reader:s3cret-word@');
      const args = ['import', '--state', state, '--elasticsearch', address, '--index', bare];
      const rejected = ['--rejected', fileOf('rejected.ndjson')];
      const first = await runCli([...args, ...rejected, '--url', shiplog.url]);
      expect(first.code).toBe(1);
      const other = await runCli([...args, '--mapping', mapping, '--url', shiplog.url]);
      expect(other.code).toBe(2);
      expect(other.stderr).toContain('is of an import with another mapping');
      const told = first.stderr + first.stdout + other.stderr + readFileSync(state, 'utf8');
      expect(told).not.toContain('s3cret');
    });

    it('waits for a server that is busy and takes little at a time, and for a cluster that cuts connections', async () => {
      const fresh = await startHttpFixture();
      const picky = await startPickyProxy(fresh.url, 256 * 1024);
      const gate = await openGate(url);
      // Not the first ones: who cannot be reached at all is told so at once.
      let searches = 0;
      gate.before(async (path) => {
        if (path.includes('_search')) searches++;
        return searches > 3 && searches < 8 ? 'cut' : 'pass';
      });
      const done = await runCli([
        ...['import', '--url', `${picky.url}/import`, '--json', '--state', fileOf('state.json')],
        ...['--rejected', fileOf('rejected.ndjson'), '--mapping', mapping],
        ...['--elasticsearch', gate.url, '--index', index],
      ]);
      expect(countsOf(done)).toMatchObject({ documents: DOCUMENTS, rejected: 0, finished: true });
      expect(searches).toBeGreaterThan(7);
      expect(await fresh.store.eventCount()).toBe(DOCUMENTS);
      gate.close();
      picky.stop();
      await fresh.close();
    }, 60_000);

    it('says at once that there is no cluster', async () => {
      const away = ['--elasticsearch', 'http://127.0.0.1:1', '--index', 'x'];
      const ended = await runCli(['import', '--url', shiplog.url, ...away]);
      expect(ended.code).toBe(3);
      expect(ended.stderr).toContain('no answer from http://127.0.0.1:1');
    });
  });
});

describe('shiplog import of files', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
  });
  afterAll(() => shiplog.close());

  async function imported(args: readonly string[]) {
    const names = ['--state', fileOf('state.json'), '--rejected', fileOf('rejected.ndjson')];
    return runCli(['import', '--url', shiplog.url, '--json', ...names, ...args]);
  }

  it('knows the documents of a dump that came by /es before', async () => {
    const source = {
      '@timestamp': '2026-11-20T10:00:00.001Z',
      message: 'by both',
      task: { id: 'f-1' },
    };
    const path = `${shiplog.url}/es/shop/_doc/1`;
    const headers = { 'content-type': 'application/json' };
    await fetch(path, { method: 'PUT', headers, body: JSON.stringify(source) });
    const lines = ['1', '2'].map((_id) => JSON.stringify({ _index: 'shop', _id, _source: source }));
    const done = await imported([fileOf('dump.ndjson', lines.join('\n'))]);
    expect(countsOf(done)).toMatchObject({ stored: 1, duplicates: 1, rejected: 0 });
  });

  it('counts equal lines of a file each, and the same file under another name once', async () => {
    const line = JSON.stringify({
      message: 'tick',
      taskId: 'f-2',
      time: '2026-11-20T10:00:00Z',
      n: 1,
    });
    const packed = gzipSync(`${line}\n${line}\n\n${line}\n`);
    expect(countsOf(await imported([fileOf('log.ndjson.gz', packed)]))).toMatchObject({
      stored: 3,
    });
    const again = countsOf(await imported([fileOf('renamed.ndjson.gz', packed)]));
    expect(again).toMatchObject({ stored: 0, duplicates: 3 });
  });

  it('reads what would be sent to _bulk, and keeps broken lines in a file that it takes again', async () => {
    const rejected = fileOf('rejected.ndjson');
    const file = fileOf(
      'bulk.ndjson',
      '{"index":{"_index":"shop","_id":"b1"}}\n{"message":"one","taskId":"f-3"}\n{"message":"two"\n',
    );
    const done = await imported(['--rejected', rejected, file]);
    expect(done.code).toBe(1);
    expect(countsOf(done)).toMatchObject({ stored: 1, rejected: 1, finished: true });
    const kept = JSON.parse(readFileSync(rejected, 'utf8')) as { line: string };
    expect(kept).toMatchObject({ line: '{"message":"two"', problem: { code: 'BAD_JSON' } });
    const mended = { ...kept, line: '{"message":"two","taskId":"f-3"}' };
    const second = await imported([fileOf('mended.ndjson', JSON.stringify(mended))]);
    expect(countsOf(second)).toMatchObject({ stored: 1, rejected: 0 });
    const events = await eventsOf(shiplog.store, 'f-3');
    expect(events.map(({ message }) => message)).toEqual(['one', 'two']);
  });

  it('takes events of Shiplog as they are, and reads on where the file has grown', async () => {
    const state = fileOf('state.json');
    const lines = stepEvents('f-4', 30).map((event) => JSON.stringify(event));
    const file = fileOf('events.ndjson', `${lines.slice(0, 20).join('\n')}\n`);
    expect(countsOf(await imported(['--state', state, file]))).toMatchObject({ stored: 20 });
    writeFileSync(file, `${lines.join('\n')}\n`);
    const rest = await imported(['--state', state, file]);
    expect(countsOf(rest)).toEqual({
      documents: 10,
      stored: 10,
      duplicates: 0,
      rejected: 0,
      finished: true,
    });
  });

  it('reads a file from its beginning that got the name of one that was read', async () => {
    const state = fileOf('state.json');
    const lines = stepEvents('f-6', 30).map((event) => JSON.stringify(event));
    const file = fileOf('rotated.ndjson', lines.slice(0, 10).join('\n'));
    expect(countsOf(await imported(['--state', state, file]))).toMatchObject({ stored: 10 });
    writeFileSync(file, lines.slice(10).join('\n'));
    const second = await imported(['--state', state, file]);
    expect(countsOf(second)).toMatchObject({ documents: 20, stored: 20, duplicates: 0 });
    expect(second.stderr).toContain('it is read from its beginning');
    expect(second.stderr).not.toContain('goes on after');
    const third = await imported(['--state', state, file]);
    expect(countsOf(third)).toMatchObject({ documents: 0 });
    expect(third.stderr).toContain('goes on after');
  });

  it('stops at an interrupt with its place kept, and goes on from there', async () => {
    const state = fileOf('state.json');
    const lines = stepEvents('f-5', 20_000).map((event) => JSON.stringify(event));
    const args = ['import', '--url', shiplog.url, '--json', '--state', state];
    args.push(fileOf('events.ndjson', lines.join('\n')));
    const stopped = startCli(args);
    // The server is in this process: it takes nothing more until this has looked.
    await vi.waitFor(() => expect(existsSync(state)).toBe(true), { timeout: 30_000, interval: 2 });
    stopped.child.kill('SIGINT');
    const first = await stopped.ended;
    expect(first.code).toBe(130);
    expect(first.stderr).toContain('the same command goes on from here');
    const rest = countsOf(await runCli(args));
    expect(countsOf(first).stored + rest.stored).toBe(20_000);
    expect(rest).toMatchObject({ duplicates: 0, rejected: 0, finished: true });
  });
});
