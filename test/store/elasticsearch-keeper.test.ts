/** What the keeper of views does about answers and documents that are not as they should be. */
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import { type Gate, openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { aFleet, anEvent, aStatus, aTaskEvent } from './events.ts';
import { contractSettings, fill, positionOf, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';

const FLEET = 'deploy-1-0';
/** A change of who keeps a shard, and up to where. */
const LEASE = /^PUT .*shard%3A/;

type Damage = [what: string, change: (text: string) => string];
const DAMAGED_STATISTICS: Damage[] = [
  ['no number', (text: string) => text.replaceAll(/("global_checkpoint":)-?\d+/g, '$1"many"')],
  ['a negative one', (text: string) => text.replaceAll(/("global_checkpoint":)-?\d+/g, '$1-9')],
  ['no node', (text: string) => text.replaceAll(/"node":"[^"]*"/g, '"node":null')],
  [
    'a number as a text',
    (text: string) => text.replaceAll(/(global_checkpoint":)(\d+)/g, '$1"$2"'),
  ],
  [
    'a history of another kind',
    (text: string) => text.replaceAll(/(history_uuid":)"[^"]*"/g, '$1 7'),
  ],
  ['an index without its name', (text: string) => text.replaceAll(/("uuid":)"[^"]*"/g, '$1 7')],
  [
    'an index that is null',
    (text: string) => text.replaceAll(/("[^"]*-events-[^"]*":)\{.*\}/g, '$1 null}}'),
  ],
  ['a shard that is null', (text: string) => text.replaceAll(/("\d+":)\[.*\]/g, '$1 null')],
  ['a copy that is null', (text: string) => text.replaceAll(/("\d+":)\[.*\]/g, '$1 [null]')],
  [
    'a copy of which nothing is said',
    (text: string) => text.replaceAll(/("\d+":)\[.*\]/g, '$1 [{}]'),
  ],
];
const DAMAGED_BULKS: Damage[] = [
  ['without places', (text: string) => text.replaceAll('_seq_no', '_seq_nr')],
  ['without statuses', (text: string) => text.replaceAll(/"status":\d+/g, '"status":null')],
  ['without items', (text: string) => text.replaceAll('"items"', '"itens"')],
  ['that is no object', () => '[]'],
  ['that is null', () => 'null'],
  ['with its statuses as texts', (text: string) => text.replaceAll(/("status":)(\d+)/g, '$1"$2"')],
  ['with places before the first', (text: string) => text.replaceAll(/("_seq_no":)\d+/g, '$1-2')],
  ['with an item that is null', () => '{"items":[null]}'],
  ['with nothing in its item', () => '{"items":[{"create":null}]}'],
  ['about something else', (text: string) => text.replaceAll('"create"', '"delete"')],
  [
    'with a reason that is a number',
    () => '{"items":[{"create":{"status":400,"error":{"reason":7}}}]}',
  ],
  [
    'with an item too many',
    (text: string) => text.replace('"items":[', '"items":[{"create":{"status":201,"_seq_no":0}},'),
  ],
];

describe('The keeper of views', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  let gate: Gate;
  let prefix = '';
  let store: ElasticsearchStore;
  const said: object[] = [];

  const open = (url: string) =>
    openElasticsearchStore({
      config: { urls: [url], shards: 1, replicas: 0, prefix, leaseMs: 1_000 },
      settings: contractSettings,
      log: { warn: (fields) => said.push(fields), error: (fields) => said.push(fields) },
    });

  /** A task that is stored and folded, and in nobody's memory. */
  async function aFoldedTask(): Promise<void> {
    const before = await open(elasticsearch?.url ?? '');
    await fill(before, aFleet({ tasks: 1, hosts: 6 }));
    await before.close();
  }

  /** What is stored of a run is no state any more. */
  async function damage(host: string, state: string): Promise<void> {
    const run = [{ term: { 'shiplog.view': 'run' } }, { term: { 'host.name': host } }];
    const found = await ask('POST', '-views-*/_search', { query: { bool: { filter: run } } });
    const [{ _index, _id, _routing, _source }] = found.hits.hits;
    _source.shiplog.state = state;
    const path = `${_index.slice(prefix.length)}/_doc/${_id}?routing=${_routing}&refresh=true`;
    expect(await ask('PUT', path, _source)).toMatchObject({ result: 'updated' });
  }

  // biome-ignore lint/suspicious/noExplicitAny: whatever Elasticsearch answers
  async function ask(method: string, path: string, body: object): Promise<any> {
    const response = await fetch(`${elasticsearch?.url}/${prefix}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.json();
  }

  beforeEach(async () => {
    prefix = elasticsearch.prefix();
    said.length = 0;
    await aFoldedTask();
    gate = await openGate(elasticsearch.url);
    store = await open(gate.url);
  });
  afterEach(async () => {
    await store.close();
    gate.close();
  });
  afterAll(() => elasticsearch.cleanUp());

  it('never takes a document that cannot be read for one that is not there: no view is emptied', async () => {
    gate.hide('-views-');
    const outcomes = await store.append([anEvent({ taskId: FLEET, host: 'web-1' })]);
    await vi.waitFor(() => expect(gate.hidden()).toBeGreaterThan(0), 5_000);
    await expect(store.tasksById([FLEET])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    gate.show();
    await store.viewsReach(outcomes.map(positionOf));
    const { tasks, runs } = foldLog(await wholeLog(store));
    expect(await store.tasksById([FLEET])).toEqual(tasks);
    expect(await store.runsByKey(runs)).toEqual(runs);
  });

  it('does not lose a shard to itself, when it tells that it is alive while it folds', async () => {
    const outcomes = await store.append([anEvent({ taskId: FLEET })]);
    await store.viewsReach(outcomes.map(positionOf));
    // The node has taken a sign of life, and the keeper does not know it yet.
    gate.delay(1_500, LEASE);
    const before = gate.answered(LEASE);
    await vi.waitFor(() => expect(gate.answered(LEASE)).toBeGreaterThan(before), 5_000);
    const more = await store.append([anEvent({ taskId: FLEET })]);
    await vi.waitFor(() => expect(gate.answered(LEASE)).toBeGreaterThan(before + 1), 5_000);
    gate.delay(0);
    await store.viewsReach(more.map(positionOf));
    expect(gate.answered(LEASE, 409)).toBe(0);
  });

  it('names a run that is damaged and leaves it as it is, and folds all the others', async () => {
    await damage('web-1', '{');
    await damage('web-2', '{}');
    const hosts = ['web-1', 'web-2', 'web-3', 'db-1'];
    const outcomes = await store.append(
      hosts.map((host) => aStatus('FAILED', { taskId: FLEET, host, step: 'smoke-test' })),
    );
    await store.viewsReach(outcomes.map(positionOf));
    const keys = ['web-3', 'db-1'].map((host) => ({ taskId: FLEET, host, step: 'smoke-test' }));
    const steps = await store.stepsByKey(keys);
    expect(steps).toMatchObject([{ status: 'FAILED' }, { status: 'FAILED' }]);
    expect(said[0]).toMatchObject({ taskId: FLEET, host: 'web-1', err: expect.any(SyntaxError) });
    expect(store.metrics().views_set_aside_total).toBeGreaterThan(1);
  });

  it('names a host that is damaged and makes it anew, and its shard goes on', async () => {
    const found = await ask('POST', '-hosts/_search', {
      query: { term: { 'host.name': 'web-1' } },
    });
    const [{ _id, _source }] = found.hits.hits;
    for (const state of ['{', '{}']) {
      _source.shiplog.state = state;
      const put = await ask('PUT', `-hosts/_doc/${_id}?refresh=true`, _source);
      expect(put).toMatchObject({ result: 'updated' });
      const outcomes = await store.append(
        ['web-1', 'web-2', `new-${state.length}`].map((host) => anEvent({ taskId: FLEET, host })),
      );
      await store.viewsReach(outcomes.map(positionOf));
      expect(await store.hostsByName(['web-1', `new-${state.length}`])).toMatchObject([{}, {}]);
    }
    expect(said[0]).toMatchObject({ taskId: null, host: 'web-1', err: expect.any(SyntaxError) });
    const { tasks } = foldLog(await wholeLog(store));
    expect(await store.tasksById([FLEET])).toEqual(tasks);
  });

  it('a page has what is beside a document that is damaged, and names it', async () => {
    const page = {
      ...{ limit: 99, backward: false, after: null, before: null, around: null, withTotal: true },
    };
    const found = await ask('POST', '-hosts/_search', {
      query: { terms: { 'host.name': ['web-1', 'web-2'] } },
    });
    for (const [at, { _id, _source }] of found.hits.hits.entries()) {
      _source.shiplog.state = ['{', '{}'][at];
      await ask('PUT', `-hosts/_doc/${_id}?refresh=true`, _source);
    }
    const { rows } = await store.hosts({ filter: {}, page });
    expect(rows.map(({ node }) => node.name)).toEqual(['web-3', 'web-4', 'web-5', 'web-6']);
    expect(await store.hostsByName(['web-1', 'web-3'])).toMatchObject([null, { name: 'web-3' }]);
    expect(said).toContainEqual(expect.objectContaining({ taskId: null, host: 'web-1' }));

    await damage('web-2', '{}');
    const news = ['web-2', 'web-3'].map((host) =>
      aStatus('FAILED', { taskId: FLEET, host, step: 'smoke-test' }),
    );
    expect(await store.append(news)).toMatchObject([{ outcome: 'STORED' }, { outcome: 'STORED' }]);
    // At once, from what is in memory, as far as it can be had.
    for (const to of ['BY_PAGE', 'BY_TASK'] as const) {
      await store.viewsShow([FLEET], to);
      await store.taskStats([FLEET]);
      await store.runs([{ filter: { taskId: FLEET }, order: 'HOST_ASC', page }]);
    }
    await damage('web-1', '{');
    const [runs] = await store.runs([{ filter: { taskId: FLEET }, order: 'HOST_ASC', page }]);
    expect(runs?.rows.map(({ node }) => node.host)).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => `web-${n}`),
    );
    await store.steps([{ filter: { taskId: FLEET }, order: 'DURATION_DESC', page }]);
    // Whoever follows the task folds it from the log.
    expect(await store.board(FLEET)).toBeNull();
  });

  it('an append takes what comes of a task though what was said of it is damaged, and of its neighbours', async () => {
    await store.close();
    const found = await ask('POST', '-meta/_search', {
      query: { term: { 'shiplog.kind': 'task' } },
    });
    for (const { _id, _source } of found.hits.hits) {
      _source.shiplog.task.said = '{';
      const put = await ask('PUT', `-meta/_doc/${encodeURIComponent(_id)}?refresh=true`, _source);
      expect(put).toMatchObject({ result: 'updated' });
    }
    store = await open(gate.url);
    const began = aTaskEvent({ change: 'began', service: 'again' }, { taskId: FLEET });
    const outcomes = await store.append([anEvent({ taskId: FLEET }), began, anEvent({})]);
    expect(outcomes).toMatchObject([
      { outcome: 'STORED' },
      { outcome: 'STORED', service: 'again' },
      { outcome: 'STORED' },
    ]);
  });

  it('reads what it folds into in parts, where all of it is longer than an answer may be', async () => {
    const parts: string[] = [];
    gate.damage(/_mget.*base_status|-views-[^/]*\/_search/, (text) => {
      const { docs, hits } = JSON.parse(text) as { docs?: unknown[]; hits?: { hits: unknown[] } };
      const isPart = (docs ?? hits?.hits ?? []).length <= 1;
      if (isPart) parts.push(docs === undefined ? 'search' : 'mget');
      return isPart ? text : text + ' '.repeat(33 * 1024 * 1024);
    });
    const outcomes = await store.append([
      ...['web-1', 'web-2'].map((host) => aStatus('FAILED', { taskId: FLEET, host, step: 'stop' })),
      // Concerns all runs of the task.
      aTaskEvent({ change: 'began', version: '9.9.9' }, { taskId: FLEET, at: 1_770_000_000_000 }),
    ]);
    await store.viewsReach(outcomes.map(positionOf));
    gate.damage(null);
    // The task and the hosts that its plan names, and two runs; then all six, and the end of them.
    expect(parts.filter((how) => how === 'mget')).toHaveLength(4);
    expect(parts.filter((how) => how === 'search').length).toBeGreaterThan(6);
    const { tasks, runs } = foldLog(await wholeLog(store));
    expect(await store.tasksById([FLEET])).toEqual(tasks);
    expect(await store.runsByKey(runs)).toEqual(runs);
  });

  it('names a document that is refused, and its shard goes on', async () => {
    gate.refuse('"host":{"name":"db-1"}');
    const hosts = ['db-1', 'db-2'];
    const outcomes = await store.append(
      hosts.map((host) => aStatus('RUNNING', { taskId: FLEET, host, step: 'smoke-test' })),
    );
    await store.viewsReach(outcomes.map(positionOf));
    const [run] = await store.runsByKey([{ taskId: FLEET, host: 'db-2' }]);
    expect(run).toMatchObject({ status: 'RUNNING' });
    expect(said[0]).toMatchObject({ taskId: FLEET, host: 'db-1', err: 'it is not taken' });
  });

  it('never takes a position that cannot be read for the beginning, nor a task for an unknown one', async () => {
    gate.hide('-meta');
    await expect(store.tasksById([FLEET])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(store.tasksChangedSince([], 10)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    gate.show();
    expect(await store.tasksById([FLEET])).toMatchObject([{ id: FLEET }]);
  });

  it('never takes damaged statistics for the end of the log, nor for another log', async () => {
    const heads = await store.heads(null);
    for (const [what, change] of DAMAGED_STATISTICS) {
      gate.damage(/_stats/, change);
      const asked = store.heads(null);
      await expect(asked, what).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      gate.damage(null);
      expect(await store.heads(null), what).toEqual(heads);
    }
    expect(gate.damaged()).toBeGreaterThanOrEqual(DAMAGED_STATISTICS.length);
  });

  it('an append whose answer comes back damaged is acknowledged once it is known where it is', async () => {
    const acknowledged = new Map<string, number>();
    for (const [what, change] of DAMAGED_BULKS) {
      gate.damage(/_bulk/, (text) => {
        gate.damage(null);
        return change(text);
      });
      const event = anEvent({ taskId: FLEET, host: 'web-1' });
      const [outcome] = await store.append([event]);
      acknowledged.set(event.id, positionOf(outcome ?? expect.fail(what)).seq);
    }
    expect(gate.damaged()).toBe(DAMAGED_BULKS.length);
    const log = new Map((await wholeLog(store)).map(({ id, position }) => [id, position.seq]));
    for (const [id, seq] of acknowledged) expect(log.get(id)).toBe(seq);
  });

  it('an append whose answer leaves an item out believes none of it', async () => {
    gate.damage(/_bulk/, (text) => {
      gate.damage(null);
      const { items } = JSON.parse(text) as { items: unknown[] };
      return JSON.stringify({ items: items.toSpliced(1, 1) });
    });
    const events = ['web-1', 'web-2', 'web-3'].map((host) => anEvent({ taskId: FLEET, host }));
    const outcomes = await store.append(events);
    expect(gate.damaged()).toBe(1);
    const seqs = new Map((await wholeLog(store)).map(({ id, position }) => [id, position.seq]));
    expect(outcomes.map((outcome) => positionOf(outcome).seq)).toEqual(
      events.map(({ id }) => seqs.get(id)),
    );
  });
});
