/** What every answer to a bulk request means for the events in it: faults a real node does not have on demand. */
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Bulk, bulkItem, type ItemOutcome } from '../../src/store/elasticsearch/cluster/bulk.ts';
import { Connection } from '../../src/store/elasticsearch/cluster/connection.ts';

import { answer, standIn } from '../support/stand-in.ts';

const ELASTIC = { 'x-elastic-product': 'Elasticsearch' };
const STORED = { status: 201, _seq_no: 6, _primary_term: 2 };
const DONE: ItemOutcome = { state: 'done', seq: 7, term: 2 };

interface Item {
  status: number;
  error?: { type: string; reason: string };
}
/** What is said to a request with these ids: a status for all of it, or one item for each. */
type Say = (ids: string[], request: number) => number | Item[];

function failed(status: number, type: string, reason = type): Item {
  return { status, error: { type, reason } };
}

/** Sends documents of these ids; tells what became of them and which were in each request. */
async function send(
  ids: readonly string[],
  say: Say,
  timeoutMs = 5_000,
  how: 'send' | 'settleEach' = 'send',
  slow: { neighboursWaitMs?: number; answersAfterMs?: number } = {},
) {
  const requests: string[][] = [];
  await using node = await standIn(async (_, response, body, count) => {
    const lines = body.split('\n').filter((_line, at) => at % 2 === 0 && _line !== '');
    const asked = lines.map((line) => (JSON.parse(line) as { create: { _id: string } }).create._id);
    requests.push(asked);
    const said = say(asked, count);
    if (slow.answersAfterMs !== undefined) await setTimeout(slow.answersAfterMs);
    if (typeof said === 'number') answer(response, said, { error: { type: 'whole' } }, ELASTIC);
    else answer(response, 200, { items: said.map((create) => ({ create })) }, ELASTIC);
  });
  const connection = new Connection({ urls: [node.url], shards: 1, replicas: 0 }, 1_000);
  try {
    const items = ids.map((_id) => bulkItem('create', { _index: 'events', _id }, { text: _id }));
    const bulk = new Bulk(connection, timeoutMs, slow.neighboursWaitMs);
    const outcomes = await bulk[how](items).catch((error: unknown) => error);
    return { outcomes, requests };
  } finally {
    await connection.close();
  }
}

describe('Of a batch', () => {
  it('only what was refused for now is sent again, and a conflict then may be its own first try', async () => {
    const later = [
      failed(429, 'es_rejected_execution_exception'),
      failed(503, 'unavailable_shards_exception'),
    ];
    const { outcomes, requests } = await send(['a', 'b', 'c'], (_, request) =>
      request === 1 ? [STORED, ...later] : [STORED, failed(409, 'version_conflict')],
    );
    expect(outcomes).toEqual([DONE, DONE, { state: 'conflict', again: true }]);
    expect(requests).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
    ]);
  });

  it('a document that is never taken, an id that is there and an index that is not harm no neighbour', async () => {
    const { outcomes, requests } = await send(['a', 'b', 'c', 'd'], () => [
      failed(400, 'document_parsing_exception', 'field too long'),
      failed(409, 'version_conflict_engine_exception'),
      failed(404, 'index_not_found_exception'),
      STORED,
    ]);
    expect(outcomes).toEqual([
      { state: 'refused', reason: 'field too long' },
      { state: 'conflict', again: false },
      { state: 'missing' },
      DONE,
    ]);
    expect(requests).toHaveLength(1);
  });

  it('that is too large for one request is sent in parts, and one document that is too large is refused alone', async () => {
    const { outcomes, requests } = await send(['a', 'big', 'c'], (ids) =>
      ids.length > 1 || ids[0] === 'big' ? 413 : [STORED],
    );
    expect(outcomes).toEqual([
      DONE,
      { state: 'refused', reason: 'larger than a request may be' },
      DONE,
    ]);
    expect(requests.filter((ids) => ids.length === 1)).toEqual([['a'], ['big'], ['c']]);
  });

  it('nothing is lost while Elasticsearch is too busy for the whole of it', async () => {
    const busy = [429, 503, 502];
    const { outcomes, requests } = await send(['a'], (_, at) => busy[at - 1] ?? [STORED]);
    expect(outcomes).toEqual([DONE]);
    expect(requests).toHaveLength(4);
  });

  it('those that are stored do not wait long for those whose shard is away', async () => {
    const away = failed(503, 'unavailable_shards_exception');
    const began = performance.now();
    const { outcomes } = await send(
      ['a', 'b'],
      (ids) => ids.map((id) => (id === 'a' ? STORED : away)),
      60_000,
      'settleEach',
    );
    expect(outcomes).toMatchObject([
      DONE,
      { state: 'unsettled', problem: { code: 'STORE_UNAVAILABLE' } },
    ]);
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  it('those that a slow node did not take yet are sent again, however long it took for the others', async () => {
    const busy = failed(429, 'es_rejected_execution_exception');
    const neighboursWaitMs = 150;
    const { outcomes, requests } = await send(
      ['a', 'b'],
      (ids, request) => (request === 1 ? [STORED, busy] : ids.map(() => STORED)),
      5_000,
      'settleEach',
      { neighboursWaitMs, answersAfterMs: 2 * neighboursWaitMs },
    );
    expect(outcomes).toEqual([DONE, DONE]);
    expect(requests).toEqual([['a', 'b'], ['b']]);
  });

  it('all is sent again where the answer leaves something out, and does not say what', async () => {
    const { outcomes, requests } = await send(['a', 'b'], (_, request) =>
      request === 1 ? [STORED] : [STORED, STORED],
    );
    expect(outcomes).toEqual([DONE, DONE]);
    expect(requests[1]).toEqual(['a', 'b']);
  });

  it('the sender is told to try again later when the time is over', async () => {
    const { outcomes } = await send(['a'], () => 429, 300);
    expect(outcomes).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryAfterMs: expect.any(Number),
    });
  });

  it.each([
    ['a full disk', 'STORE_FULL', failed(429, 'cluster_block_exception', 'flood-stage watermark')],
    ['a write block', 'STORE_UNAVAILABLE', failed(403, 'cluster_block_exception', 'blocked')],
    ['a closed index', 'STORE_UNAVAILABLE', failed(400, 'index_closed_exception', 'closed')],
    ['missing privileges', 'STORE_UNAVAILABLE', failed(403, 'security_exception', 'no')],
  ])('%s is told at once, without trying again', async (_, code, item) => {
    const { outcomes, requests } = await send(['a', 'b'], () => [STORED, item]);
    expect(outcomes).toMatchObject({ code, retryAfterMs: expect.any(Number) });
    expect(requests).toHaveLength(1);
  });
});
