import { describe, expect, it } from 'vitest';
import { parseSearch, type SearchQuery } from '../../src/domain/search/search.ts';
import { withDefaults } from '../../src/store/elasticsearch/cluster/config.ts';
import { templates } from '../../src/store/elasticsearch/indices/mappings.ts';
import { EVENT_SORTS } from '../../src/store/elasticsearch/log/event-pages.ts';
import { logSearch } from '../../src/store/elasticsearch/log/log-reader.ts';
import { eventQuery } from '../../src/store/elasticsearch/query/event-query.ts';
import { pageSearches } from '../../src/store/elasticsearch/query/page.ts';
import {
  hostQuery,
  RUN_SORTS,
  runQuery,
  STEP_SORTS,
  stepQuery,
  TASK_SORTS,
  taskQuery,
} from '../../src/store/elasticsearch/query/view-query.ts';
import { groupDetails, largestGroups } from '../../src/store/elasticsearch/views/failure-groups.ts';
import { aPage } from './harness.ts';

const search = (text: string) => parseSearch(text) as SearchQuery;
const list = { query: { match_all: {} }, sort: RUN_SORTS.STARTED_DESC };

const CASES: Record<string, unknown> = {
  'no filter selects every event': eventQuery({}),
  'lists are OR, fields are AND': eventQuery({
    taskId: 't-1',
    kinds: ['OUTPUT', 'STEP'],
    attempts: [1, 2],
    streams: ['STDERR'],
    from: 1_000,
    to: 2_000,
  }),
  'a host may end in a star': eventQuery({ hosts: ['web-1', 'db-*'] }),
  'a least level means that level and those above': eventQuery({ minLevel: 'WARN' }),
  'labels are compared as texts': eventQuery({ labels: [{ key: 'ring.a', value: '1' }] }),
  'a word is looked up as it is': eventQuery({ search: search('refused') }),
  'the parts of an address are a phrase': eventQuery({ search: search('10.0.0.7') }),
  'a beginning of the last word of a phrase': eventQuery({ search: search('"connection ref"*') }),
  'a term that is not wanted': eventQuery({ search: search('-level:error timeout') }),
  'the log is read by sequence and proven by its count': logSearch(100, 200, null, 50),
  'a filtered read of the log proves the whole range': logSearch(
    ...([100, 200, { levels: ['ERROR'] }, 50] as Parameters<typeof logSearch>),
  ),
  'tasks that ran on a host, by their words': taskQuery(
    { services: ['checkout'], host: 'web-1', search: search('release prod*') },
    ['t-1', 't-2'],
  ),
  'stale runs that are out of rotation': runQuery({ stale: true, outOfRotation: true }, 5_000),
  'runs that are not stale, with a failed step': runQuery(
    { stale: false, failedStep: 'unpack' },
    5_000,
  ),
  'slow steps with an error code': stepQuery({ minDurationMs: 700, errorCode: 'E_IO' }),
  'the largest failure groups are counted over all of every shard': largestGroups({
    filter: { taskId: 't-1' },
    first: 3,
  }),
  'what is in failure groups is asked for those that are shown': groupDetails(
    { filter: {}, first: 3 },
    ['f1', 'f2'],
  ),
  'hosts by the beginning of their name': hostQuery({ namePrefix: 'web-', seenSince: 7 }),
  'a first page asks for one row more': pageSearches(list, aPage({ limit: 2, withTotal: true })),
  'a page backward turns the order round': pageSearches(
    list,
    aPage({ limit: 2, backward: true, before: [9, 'web-1', 't-1'] }),
  ),
  'a page around an event asks ahead and behind': pageSearches(
    { query: { match_all: {} }, sort: EVENT_SORTS.TIME },
    aPage({ limit: 4, around: [5, 7, 'abc'] }),
  ),
  'what every list is sorted by': { EVENT_SORTS, TASK_SORTS, RUN_SORTS, STEP_SORTS },
  'the templates of the indices': templates(withDefaults({ urls: [], shards: 2, replicas: 1 })),
};

describe('A query to Elasticsearch', () => {
  for (const [sentence, built] of Object.entries(CASES)) {
    it(sentence, async () => {
      const file = `snapshots/elasticsearch/${sentence.replaceAll(/[^a-z]+/gi, '-')}.json`;
      await expect(`${JSON.stringify(built, null, 2)}\n`).toMatchFileSnapshot(file);
    });
  }
});
