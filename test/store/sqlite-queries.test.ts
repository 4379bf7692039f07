import { describe, expect, it } from 'vitest';
import type { EventFilter } from '../../src/domain/search/filter.ts';
import { parseSearch } from '../../src/domain/search/search.ts';
import type { Sql } from '../../src/store/sqlite/file/connection.ts';
import { countSql, eventsSql, type Scope } from '../../src/store/sqlite/query/events.ts';
import { type List, listSql } from '../../src/store/sqlite/query/list.ts';
import type { Range } from '../../src/store/sqlite/query/page.ts';
import { runList } from '../../src/store/sqlite/query/runs.ts';
import { stepLists } from '../../src/store/sqlite/query/steps.ts';
import { taskList } from '../../src/store/sqlite/query/tasks.ts';

const DAY: Scope = { day: 20261124, task: null, seqs: null, common: false };
const TASK: Scope = { ...DAY, task: { key: 7, firstSeq: 100, lastSeq: 900 } };

function range(fields: Partial<Range> = {}): Range {
  return { backward: false, after: null, before: null, limit: 51, ...fields };
}

function words(text: string): EventFilter {
  const search = parseSearch(text);
  return search === null ? {} : { search };
}

const CASES: Record<string, Sql> = {
  'a task in order of the log is read off its own index': eventsSql(
    { taskId: 't', kinds: ['STEP'] },
    TASK,
    'LOG',
    range({ after: { key: [500], inclusive: false } }),
  ),
  'a host of a task is read by its run': eventsSql(
    { taskId: 't', hosts: ['web-1'], steps: ['backup'] },
    TASK,
    'LOG',
    range({ backward: true }),
  ),
  'a moment of a large task is read off the index of time': eventsSql(
    { taskId: 't', hosts: ['web-1'], from: 60_000, to: 61_000 },
    { ...TASK, task: { key: 7, firstSeq: 1, lastSeq: 1_000_000 } },
    'TIME',
    range(),
  ),
  'everything by time is read off the index of time': eventsSql(
    { hosts: ['web-*'], from: 1_000, to: 2_000 },
    DAY,
    'TIME',
    range({ backward: true, before: { key: [1_500, 42], inclusive: false } }),
  ),
  'severe events have an index of their own': eventsSql(
    { minLevel: 'ERROR', services: ['shop', 'search'] },
    DAY,
    'TIME',
    range({ backward: true }),
  ),
  'words lead where they are wanted, and what is unwanted is taken away': eventsSql(
    words('"connection refused" time* -retry level:error'),
    DAY,
    'TIME',
    range(),
  ),
  'words in one task are looked for among its seqs only': eventsSql(
    { taskId: 't', ...words('refused') },
    TASK,
    'LOG',
    range({ after: { key: [500], inclusive: false } }),
  ),
  'only unwanted words are checked row by row': eventsSql(
    words('-refused'),
    DAY,
    'TIME',
    range({ backward: true }),
  ),
  'unwanted words are found once where a whole part of the log is looked at': eventsSql(
    words('-refused'),
    { ...DAY, seqs: { from: 1_024, to: 2_047 } },
    'TIME',
    range({ backward: true }),
  ),
  'unwanted words are found once where everything is counted': countSql(
    { taskId: 't', ...words('-refused') },
    TASK,
    10_001,
  ),
  'a common word on one host is checked among the events of that host': eventsSql(
    { hosts: ['web-1'], ...words('line') },
    { ...DAY, common: true },
    'TIME',
    range({ backward: true }),
  ),
  'quotes and operators in words stay words': eventsSql(
    words('"a\\" OR b" NEAR(x NOT'),
    DAY,
    'TIME',
    range(),
  ),
  'a slice of the log is read by seq': eventsSql(
    { labels: [{ key: 'rack', value: 'r1' }] },
    { ...DAY, seqs: { from: 11, to: 20 } },
    'LOG',
    range(),
  ),
  'a count stops at its limit': countSql({ sources: ['agent/1'] }, DAY, 10_001),
  'tasks by host and words': listSql(
    taskList({ host: 'web-*', ...parsed('release -draft') }, 'CREATED_DESC'),
    range({ after: { key: [5_000, 3], inclusive: false } }),
  ),
  'stale runs of a task, the failed first': listSql(
    runList({ taskId: 't', stale: true, failedStep: 'backup' }, 'FAILED_FIRST', 4_000),
    range({ backward: true }),
  ),
  'the newest failed steps are read off their own index': listSql(
    onlyPart(stepLists({ statuses: ['FAILED', 'TIMED_OUT'], errorCode: 'E_IO' }, 'STARTED_DESC')),
    range(),
  ),
  'steps that run now are read off the index of those that began': listSql(
    onlyPart(stepLists({ statuses: ['RUNNING'] }, 'STARTED_DESC')),
    range(),
  ),
  'the longest steps of everywhere are read off the index of durations': listSql(
    stepLists({ steps: ['backup'] }, 'DURATION_DESC')[0] as List,
    range(),
  ),
  'steps of hosts everywhere are read by their runs': listSql(
    onlyPart(stepLists({ hosts: ['web-1', 'db-*'], minDurationMs: 10 }, 'DURATION_DESC')),
    range(),
  ),
};

function onlyPart(parts: List[]): List {
  if (parts.length !== 1) throw new Error(`a list of ${parts.length} parts`);
  return parts[0] as List;
}

function parsed(text: string) {
  const search = parseSearch(text);
  return search === null ? {} : { search };
}

describe('Statements of the SQLite engine', () => {
  for (const [sentence, { sql, params }] of Object.entries(CASES)) {
    it(sentence, async () => {
      const file = `./snapshots/sqlite/${sentence.replaceAll(/[ ,]+/g, '-')}.sql`;
      await expect(`${sql}\n-- ${JSON.stringify(params)}\n`).toMatchFileSnapshot(file);
    });
  }
});
