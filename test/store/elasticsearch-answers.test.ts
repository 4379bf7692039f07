/** Answers of Elasticsearch that are not as they must be: told with request and field, never read as "nothing". */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/domain/event/event.ts';
import type { Finding } from '../../src/domain/finding.ts';
import { examineCluster } from '../../src/store/elasticsearch/doctor/doctor.ts';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import type { Store } from '../../src/store/store.ts';
import { type Gate, openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { aFleet } from './events.ts';
import { aPage, contractSettings, fill, positionOf, wholeLog } from './harness.ts';

const TASK = 'deploy-1-0';
const RUN = { taskId: TASK, host: 'web-1' };
const STEP = { ...RUN, step: 'smoke-test' };
const TASKS = { filter: {}, order: 'CREATED_DESC', page: aPage({ withTotal: true }) } as const;

interface Case {
  asked: (store: Store) => Promise<unknown>;
  request: RegExp;
  /** What arrives in place of the values that this field has. */
  damage: [field: string, change: (value: unknown) => unknown];
  /** What the error names: the request, and the field in it. */
  named: RegExp;
}

const CASES: Record<string, Case> = {
  'documents that are left out': {
    asked: (store) => store.runsByKey([RUN]),
    request: /_mget/,
    damage: ['docs', () => []],
    named: /_mget of \d+ documents cannot be read: docs/,
  },
  'a document that is null': {
    asked: (store) => store.runsByKey([RUN]),
    request: /_mget/,
    damage: ['_source', () => null],
    named: /_mget of \S+-views-\S+ cannot be read: _source/,
  },
  'a document without its place': {
    asked: (store) => store.runsByKey([RUN]),
    request: /_mget/,
    damage: ['_seq_no', String],
    named: /_mget of \S+-views-\S+ cannot be read: _seq_no/,
  },
  'searches that are left out': {
    asked: (store) => store.tasks(TASKS),
    request: /_msearch/,
    damage: ['responses', () => []],
    named: /POST \/_msearch cannot be read: responses/,
  },
  'hits that are no list': {
    asked: (store) => store.tasks(TASKS),
    request: /_msearch/,
    damage: ['hits', (hits) => (Array.isArray(hits) ? {} : hits)],
    named: /_msearch of \S+-views-\* cannot be read: hits\.hits: it is no list/,
  },
  'hits without their documents': {
    asked: (store) => store.tasks(TASKS),
    request: /_msearch/,
    damage: ['_source', () => undefined],
    named: /_msearch of \S+-views-\* cannot be read: hits\.hits\._source/,
  },
  'a total that is a text': {
    asked: (store) => store.tasks(TASKS),
    request: /_msearch/,
    damage: ['value', String],
    named: /_msearch of \S+-views-\* cannot be read: hits\.total\.value/,
  },
  'counts of runs as texts': {
    asked: (store) => store.taskStats([TASK]),
    request: /_msearch/,
    damage: ['doc_count', String],
    named: /_msearch of \S+-views-\S+ cannot be read: runs\.\S*doc_count: \S/,
  },
  'statistics of steps without their groups': {
    asked: (store) => store.stepStats({}, 'HOST'),
    request: /_msearch/,
    damage: ['groups', () => undefined],
    named: /_msearch of \S+-views-\* cannot be read: groups: \S/,
  },
  'durations that are counted in texts': {
    asked: (store) => store.stepStats({}, 'STEP'),
    request: /_msearch/,
    damage: ['counts', () => ({ buckets: [{ key: { ms: 7 }, doc_count: '1' }] })],
    named: /_msearch of \S+-views-\* cannot be read: counts\.buckets: \S/,
  },
  'failure groups without a sample': {
    asked: (store) => store.failureGroups([{ filter: {}, first: 5 }]),
    request: /_msearch/,
    damage: ['sample', () => ({ hits: { hits: [] } })],
    named: /_msearch of \S+-views-\* cannot be read: groups\.buckets\.0\.sample/,
  },
  'a histogram whose times are texts': {
    asked: (store) => store.eventHistogram({ taskId: TASK }, 10),
    request: /_msearch/,
    damage: ['key', String],
    named: /_msearch of \S+-events-\S+ cannot be read: times\.buckets\.0\.key/,
  },
  'numbers of writers that are texts': {
    asked: (store) => store.completeness([RUN]),
    request: /_msearch/,
    damage: ['writers', () => undefined],
    named: /_msearch of \S+-events-\S+ cannot be read: writers/,
  },
  'the attempt of a step as a text': {
    asked: (store) => store.lastLines([STEP], 5),
    request: /_msearch/,
    damage: ['last', () => ({ value: '1' })],
    named: /_msearch of \S+-events-\S+ cannot be read: last\.value/,
  },
  'events of the log without their numbers': {
    asked: async (store) => wholeLog(store),
    request: /POST \S+\/_search/,
    damage: ['_seq_no', () => null],
    named: /POST \S+-events-\S+\/_search cannot be read: hits/,
  },
  'a shard whose checkpoint is a text': {
    asked: (store) => store.heads(null),
    request: /_stats/,
    damage: ['global_checkpoint', String],
    named: /GET \S+_stats\S* cannot be read: indices\.\S+\.seq_no\.global_checkpoint/,
  },
};

describe('What Elasticsearch answers', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  let gate: Gate;
  let store: ElasticsearchStore;
  const prefix = elasticsearch.prefix();
  const configOf = (urls: string[]) => ({ urls, shards: 1, replicas: 0, prefix });

  beforeAll(async () => {
    gate = await openGate(elasticsearch.url);
    store = await openElasticsearchStore({
      config: configOf([gate.url]),
      settings: contractSettings,
    });
    await fill(store, aFleet({ tasks: 1, hosts: 6 }));
  });
  afterEach(() => gate.damage(null));
  afterAll(async () => {
    await store.close();
    gate.close();
    await elasticsearch.cleanUp();
  });

  it.each(Object.entries(CASES))(
    'about %s is an error that says where, and the next right one is taken',
    async (_, { asked, request, damage: [field, change], named }) => {
      const right = await asked(store);
      gate.damage(request, (text) => damaged(text, field, change));
      await expect(asked(store)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringMatching(named),
      });
      gate.damage(null);
      expect(await asked(store)).toEqual(right);
    },
  );

  it('about a copy that was not refreshed is never taken for one that shows what is new', async () => {
    const [event] = aFleet({ tasks: 1, hosts: 1 });
    const late = { ...(event as LogEvent), id: 'late', host: 'web-late' };
    const positions = (await store.append([late])).map(positionOf);
    gate.damage(/_refresh/, (text) => damaged(text, 'failed', () => 1));
    await expect(store.viewsReach(positions)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/^1 of \d+ copies of \S+ could not be refreshed$/),
    });
    gate.damage(null);
    await store.viewsShow([TASK], 'BY_SEARCH');
    const filter = { taskId: TASK, hosts: ['web-late'] };
    const [page] = await store.runs([{ filter, order: 'HOST_ASC', page: aPage() }]);
    expect(page?.rows.map(({ node }) => node.host)).toEqual(['web-late']);
  });

  it.each([
    ['health', /_cluster\/health/, 'status'],
    ['capacity', /_nodes\/stats/, 'roles'],
    ['templates', /_index_template/, 'priority'],
    ['views', /_mget/, 'folded'],
  ])('about %s is a finding of the doctor that says where', async (check, request, field) => {
    gate.damage(request, (text) => damaged(text, field, () => true));
    const found: Finding[] = [];
    for await (const finding of examineCluster(configOf([gate.url]), 30)) found.push(finding);
    expect(found).toContainEqual(
      expect.objectContaining({
        check,
        state: 'problem',
        detail: expect.stringMatching(new RegExp(`cannot be read: \\S*${field}: `)),
      }),
    );
  });
});

function damaged(text: string, field: string, change: (value: unknown) => unknown): string {
  const body: unknown = JSON.parse(text, (key, value: unknown) =>
    key === field ? change(value) : value,
  );
  return JSON.stringify(body);
}
