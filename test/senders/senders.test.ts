/** Documents of others on both engines: what is sent again is there once, whatever became of it. */
import { beforeAll, expect, it } from 'vitest';
import type { ForeignDocument, Identity } from '../../src/senders/foreign-document.ts';
import { createSenders, type Senders } from '../../src/senders/senders.ts';
import { Mappings } from '../../src/senders/mapping/mappings.ts';
import type { Store } from '../../src/store/store.ts';
import { describeOnEngines, quietLog } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';
import { documentOf } from './documents.ts';

const REPORTER = { tokenId: null, address: '10.0.0.9' };
const DAY = Date.UTC(2026, 10, 26);
const time = (secondsBeforeMidnight: number): string =>
  new Date(DAY + 86_400_000 - secondsBeforeMidnight * 1_000 + 1).toISOString();

describeOnEngines('documents of others', (engine) => {
  let store: Store;
  let shiplog: Shiplog;
  let senders: Senders;

  beforeAll(async () => {
    store = await engine.open();
    shiplog = await startShiplog(store);
    senders = shiplog.senders;
    return () => shiplog.close();
  });

  const take = async (...documents: ForeignDocument[]): Promise<string[]> =>
    (await senders.take(documents, REPORTER)).map(({ outcome }) => outcome);
  const numbered = (index: string, id: string, fields: Record<string, unknown>) =>
    documentOf(fields, { index, identity: { by: 'id', space: index, id } });
  const messagesOf = async (taskId: string): Promise<(string | null)[]> => {
    const page = { limit: 50, backward: false, after: null, before: null, around: null };
    const [found] = await store.events([
      { filter: { taskId }, order: 'LOG', page: { ...page, withTotal: false } },
    ]);
    return (found?.rows ?? []).map(({ node }) => node.message);
  };

  it('with an id count once, though all else in them was changed on the way', async () => {
    const first = numbered('rs', '1', {
      '@timestamp': time(60),
      host: 'web-1',
      severity: 'err',
      message: 'one',
    });
    // As a retry ruleset renders it again: another day, no host, another level.
    const again = numbered('rs', '1', {
      '@timestamp': time(-60),
      host: '',
      severity: 'debug',
      message: 'one',
    });
    expect(
      await take(first, numbered('rs', '2', { message: 'two', '@timestamp': time(59) })),
    ).toEqual(['STORED', 'STORED']);
    const before = shiplog.ingest.metrics();
    expect(await take(again, again)).toEqual(['DUPLICATE', 'DUPLICATE']);
    const counted = shiplog.ingest.metrics();
    const more = (name: string) => (counted[name] ?? 0) - (before[name] ?? 0);
    expect(more('ingest_duplicate_total')).toBe(2);
    // Nor is anybody told that something was rejected.
    expect(more('ingest_rejected_total{code="ID_CONFLICT"}')).toBe(0);
    expect(await messagesOf('index/rs/2026-11-26')).toEqual(['one', 'two']);
    expect(await messagesOf('index/rs/2026-11-27')).toEqual([]);
  });

  it('with an id are not those of another index with the same id', async () => {
    const fields = { '@timestamp': time(60), message: 'm' };
    expect(await take(numbered('ia', '1', fields), numbered('ib', '1', fields))).toEqual([
      'STORED',
      'STORED',
    ]);
  });

  it('of the day before, sent again by a restarted server, are still known', async () => {
    const document = numbered('restart', '1', { '@timestamp': time(60), message: 'm' });
    expect(await take(document)).toEqual(['STORED']);
    const restarted = createSenders({
      ingest: shiplog.ingest,
      mappings: new Mappings(),
      now: Date.now,
      log: quietLog,
    });
    const [outcome] = await restarted.take([document], REPORTER);
    expect(outcome?.outcome).toBe('DUPLICATE');
  });

  it('without an id count once where a program repeats its body, and equal lines in it all count', async () => {
    const body = (digest: string): ForeignDocument[] =>
      [0, 1, 2].map((ordinal) => {
        const identity: Identity = { by: 'body', digest, ordinal };
        return documentOf(
          { '@timestamp': time(60), message: 'same' },
          { index: 'bodies', identity },
        );
      });
    expect(await take(...body('a'))).toEqual(['STORED', 'STORED', 'STORED']);
    expect(await take(...body('a'))).toEqual(['DUPLICATE', 'DUPLICATE', 'DUPLICATE']);
    expect(await take(...body('b'))).toEqual(['STORED', 'STORED', 'STORED']);
  });

  it('with neither an id nor a time of their own all count: none is lost as a repeat', async () => {
    const identity: Identity = { by: 'body', digest: 'x', ordinal: 0 };
    const document = documentOf({ message: 'timeless' }, { index: 'timeless', identity });
    expect(await take(document)).toEqual(['STORED']);
    expect(await take(document)).toEqual(['STORED']);
  });

  it('that belong to no deployment have a board of their own step alone', async () => {
    const at = { '@timestamp': time(60), message: 'm' };
    await take(documentOf({ ...at, container_name: 'web-1' }, { index: 'boards' }));
    const taskId = 'container/web-1/2026-11-26';
    const heads = await store.heads(taskId);
    await store.viewsReach(heads.map(({ shard, seq }) => ({ shard, seq })));
    const [board] = await store.matrices([taskId]);
    expect(board?.matrix).toMatchObject({ steps: ['log'], hosts: ['10.0.0.9'] });
  });

  it('that say where they belong stand on the board of their deployment', async () => {
    const at = new Date().toISOString();
    await take(
      documentOf({
        '@timestamp': at,
        taskId: 'release-9',
        host: 'web-1',
        step: 'build',
        status: 'started',
      }),
      documentOf({
        '@timestamp': at,
        taskId: 'release-9',
        host: 'web-1',
        step: 'build',
        status: 'ok',
        exitCode: 0,
      }),
    );
    const heads = await store.heads('release-9');
    await store.viewsReach(heads.map(({ shard, seq }) => ({ shard, seq })));
    const [step] = await store.stepsByKey([{ taskId: 'release-9', host: 'web-1', step: 'build' }]);
    expect(step).toMatchObject({ status: 'SUCCEEDED', exitCode: 0 });
  });
});
