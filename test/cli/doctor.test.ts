import { readdirSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/domain/finding.ts';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { anEvent } from '../store/events.ts';
import { contractSettings, fill } from '../store/harness.ts';
import { runCli } from '../support/cli.ts';
import { answer, standIn } from '../support/stand-in.ts';

interface Diagnosis {
  code: number | null;
  findings: Finding[];
  of(check: string): Finding | undefined;
}

async function doctor(args: readonly string[]): Promise<Diagnosis> {
  const { code, stdout } = await runCli(['doctor', '--json', ...args]);
  const findings = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Finding);
  return {
    code,
    findings,
    of: (check) => findings.find((finding) => finding.check.startsWith(check)),
  };
}

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'shiplog-doctor-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('shiplog doctor on the embedded store', () => {
  const open = () => openSqliteStore({ dataDir, settings: contractSettings });
  const look = () => doctor(['--data-dir', dataDir]);

  it('finds nothing wrong before the first start, and leaves nothing behind', async () => {
    const { code, stdout } = await runCli(['doctor', '--data-dir', dataDir]);
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^✓ settings: SQLite in /),
        '✓ tokens: none: only this machine can reach the server',
        '✓ database: none yet; the first start of a server makes it',
      ]),
    );
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('works beside a server that is using the directory, and tells of it', async () => {
    const store = await open();
    await fill(store, [anEvent()]);
    const { code, of } = await look();
    expect(code).toBe(0);
    expect(of('server')?.detail).toBe('one is using the directory now');
    expect(of('database')).toMatchObject({ state: 'ok' });
    await fill(store, [anEvent()]);
    await store.close();
    const before = readdirSync(dataDir);
    expect((await look()).of('views')?.detail).toBe('hold the whole log');
    expect(readdirSync(dataDir)).toEqual(before);
  });

  it('finds a damaged database, and one of a newer version', async () => {
    const store = await open();
    await fill(store, [anEvent()]);
    await store.close();
    const file = join(dataDir, 'shiplog.db');
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect((await look()).of('database')?.detail).toContain('written by a newer Shiplog');
    writeFileSync(file, 'This is not a database.'.repeat(100));
    const { code, of } = await look();
    expect(code).toBe(1);
    expect(of('database')).toMatchObject({
      state: 'problem',
      advice: expect.stringContaining('restore a backup'),
    });
  });

  it('names every setting that is wrong', async () => {
    const { code, findings } = await doctor(['--port', 'x', '--host', '0.0.0.0']);
    expect(code).toBe(1);
    expect(findings).toMatchObject([
      { check: 'settings', state: 'problem', detail: expect.stringContaining('--port') },
      { check: 'settings', state: 'problem', detail: expect.stringContaining('SHIPLOG_HOST') },
    ]);
    const open = await doctor(['--host', '0.0.0.0', '--insecure', '--data-dir', dataDir]);
    expect(open.of('tokens')).toMatchObject({ state: 'warning' });
  });

  it('looks at the tokens', async () => {
    const file = join(dataDir, 'tokens.json');
    const withTokens = () => doctor(['--data-dir', dataDir, '--tokens-file', file]);
    expect((await withTokens()).of('tokens')).toMatchObject({
      state: 'problem',
      advice: expect.stringContaining(`shiplog tokens create --scope admin --file ${file}`),
    });
    await runCli(['tokens', 'create', '--scope', 'read', '--file', file]);
    expect((await withTokens()).of('tokens')).toMatchObject({ state: 'ok' });
    await chmod(file, 0o666);
    expect((await withTokens()).of('tokens')).toMatchObject({ state: 'warning' });
  });
});

describe('shiplog doctor on Elasticsearch', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  const { url } = elasticsearch;
  afterAll(() => elasticsearch.cleanUp());
  const look = (prefix: string, ...more: string[]) =>
    doctor([
      ...['--store', 'elasticsearch', '--elasticsearch-url', url],
      ...['--elasticsearch-prefix', prefix, ...more],
    ]);
  const open = (prefix: string, replicas: number) =>
    openElasticsearchStore({
      config: { urls: [url], shards: 1, replicas, prefix },
      settings: contractSettings,
    });

  it('finds nothing wrong with a cluster before the first start, and leaves nothing in it', async () => {
    const prefix = elasticsearch.prefix();
    const { code, findings, of } = await look(prefix);
    expect({ code, wrong: findings.filter(({ state }) => state === 'problem') }).toEqual({
      code: 0,
      wrong: [],
    });
    expect(of('node')?.detail).toMatch(/Elasticsearch 9\.\d+\.\d+, answers in \d+ ms/);
    expect(of('credentials')?.detail).toContain('security is off');
    expect(of('templates')?.detail).toContain('none yet');
    expect(of('clock')).toMatchObject({ state: 'ok' });
    expect(of('shards')?.detail).toMatch(/of 1000 that the cluster may have/);
    expect(of('views')?.detail).toBe('no events yet');
    const indices = await fetch(`${url}/${prefix}*`);
    expect(await indices.json()).toEqual({});
  });

  it('tells that copies have no place, and why, and that none are asked for', async () => {
    const prefix = elasticsearch.prefix();
    const store = await open(prefix, 1);
    await fill(store, [anEvent()]);
    const { code, of } = await look(prefix, '--elasticsearch-replicas', '1');
    expect(code).toBe(0);
    expect(of('health')).toMatchObject({
      state: 'warning',
      detail: expect.stringMatching(/^yellow: .*a copy of this shard is already allocated/s),
      advice: expect.stringContaining('1 replicas need 2 data nodes, there are 1'),
    });
    expect(of('views')?.detail).toMatch(/^hold everything of 1 shards; kept by [0-9a-f]{8}$/);
    await store.close();
    const none = await look(prefix, '--elasticsearch-replicas', '0');
    expect(none.of('replicas')).toMatchObject({ state: 'warning' });
  });

  it('tells that views are behind and nobody folds them', async () => {
    const prefix = elasticsearch.prefix();
    const store = await open(prefix, 0);
    await fill(store, [anEvent()]);
    await store.close();
    const day = new Date(contractSettings.now()).toISOString().slice(0, 10);
    const state = { beat: 9, folded: 0, history: 0, generation: 0 };
    await fetch(`${url}/${prefix}-meta/_doc/shard:${day}%2F0?refresh=true`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ shiplog: { kind: 'shard', shard: state } }),
    });
    expect((await look(prefix)).of('views')).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('1 events behind the log in 1 of 1 shards, and nobody folds'),
    });
  });

  it('finds templates of others, in our place or before it, and indices that take no writes', async () => {
    const prefix = elasticsearch.prefix();
    const store = await open(prefix, 0);
    await store.close();
    const put = (path: string, body: object) =>
      fetch(`${url}/${path}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await put(`_index_template/${prefix}-rival`, { index_patterns: [`${prefix}*`], priority: 900 });
    await put(`${prefix}-hosts/_settings`, { 'index.blocks.write': true });
    const rival = await look(prefix);
    expect(rival.code).toBe(1);
    expect(rival.findings.filter(({ check }) => check === 'templates')).toMatchObject([
      { state: 'ok' },
      { state: 'warning', detail: expect.stringContaining(`${prefix}-rival`) },
    ]);
    expect(rival.of('writing')?.detail).toContain(`${prefix}-hosts`);
    const _meta = { product: 'shiplog', version: 99 };
    await put(`_index_template/${prefix}-meta`, { index_patterns: [`${prefix}-meta`], _meta });
    expect((await look(prefix)).of('templates')).toMatchObject({
      state: 'problem',
      detail: expect.stringContaining('newer Shiplog'),
    });
  });

  it('goes past an address that is away, and says which', async () => {
    const { code, of, findings } = await doctor([
      ...['--store', 'elasticsearch', '--elasticsearch-url', `http://127.0.0.1:2,${url}`],
    ]);
    expect(code).toBe(0);
    expect(of('node http://127.0.0.1:2')).toMatchObject({ state: 'warning' });
    expect(of(`node ${url}`)).toMatchObject({ state: 'ok' });
    expect(findings.length).toBeGreaterThan(6);
  });
});

describe('shiplog doctor on a cluster with security', () => {
  const ELASTIC = { 'x-elastic-product': 'Elasticsearch' };
  const look = (url: string) =>
    doctor([
      ...['--store', 'elasticsearch', '--elasticsearch-url', url],
      ...['--elasticsearch-api-key', 'secret-key'],
    ]);

  it('tells which privileges are missing, and the role to give', async () => {
    await using cluster = await standIn((request, response) => {
      const path = request.url ?? '';
      if (path.startsWith('/_nodes/_local')) {
        const nodes = { a: { name: 'es-1', version: '9.5.3' } };
        answer(response, 200, { cluster_name: 'prod', nodes }, ELASTIC);
      } else if (path.startsWith('/_cluster/state')) {
        answer(response, 200, { cluster_uuid: 'u' }, ELASTIC);
      } else if (path.startsWith('/_security/_authenticate')) {
        const who = { username: 'shiplog', authentication_type: 'api_key' };
        answer(response, 200, who, ELASTIC);
      } else if (path.startsWith('/_security/user/_has_privileges')) {
        const cluster = { monitor: true, manage_index_templates: false };
        const index = { 'shiplog-*': { read: true, write: true, manage: false } };
        answer(response, 200, { has_all_requested: false, cluster, index }, ELASTIC);
      } else {
        const error = { type: 'security_exception', reason: 'action is unauthorized' };
        answer(response, 403, { error }, ELASTIC);
      }
    });
    const { code, of } = await look(cluster.url);
    expect(code).toBe(1);
    expect(of('credentials')?.detail).toBe('shiplog (api_key)');
    expect(of('privileges')).toMatchObject({
      state: 'problem',
      detail: 'missing: cluster:manage_index_templates, manage on shiplog-*',
      advice: expect.stringContaining('"privileges":["read","write","manage"]'),
    });
    expect(of('health')?.detail).toContain('could not be looked at');
  });

  it('says that the key is not known, and never shows it', async () => {
    await using cluster = await standIn((_, response) =>
      answer(response, 401, { error: { reason: 'unable to authenticate' } }, ELASTIC),
    );
    const { code, findings } = await look(cluster.url);
    expect(code).toBe(1);
    expect(findings.at(-1)).toMatchObject({
      state: 'problem',
      detail: expect.stringContaining('unable to authenticate'),
    });
    expect(JSON.stringify(findings)).not.toContain('secret-key');
  });
});
