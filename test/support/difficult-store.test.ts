/** The difficult store is difficult, and says nothing that is not true. */
import { beforeAll, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { aStatus, randomOf } from '../store/events.ts';
import { fill, wholeLog } from '../store/harness.ts';
import { foldLog } from '../store/oracle.ts';
import { type DifficultStore, difficultStore } from './difficult-store.ts';
import { describeOnEngines } from './engines.ts';

describeOnEngines('a difficult store', (engine) => {
  let real: Store;
  let difficult: DifficultStore;
  let tasks = 0;
  beforeAll(async () => {
    real = await engine.open();
    difficult = difficultStore(real, randomOf(1));
  });

  it('shows tasks, boards and changes as they were while its views are held, then as they are', async () => {
    const { store, difficulty } = difficult;
    const taskId = `late-${++tasks}`;
    await fill(store, [aStatus('RUNNING', { taskId })]);
    const before = await wholeLog(real);
    difficulty.viewsLagMs = Number.POSITIVE_INFINITY;
    difficulty.viewsPatienceMs = 20;
    const [{ position } = expect.fail()] = (await store.append([
      aStatus('SUCCEEDED', { taskId }),
      aStatus('RUNNING', { taskId: `${taskId}-other` }),
    ])) as { position: { shard: string; seq: number } }[];
    const then = foldLog(before).tasks;
    expect(await store.tasksById([taskId])).toEqual(then);
    expect((await store.tasksChangedSince([], 10)).tasks).toEqual(then);
    expect((await store.board(taskId))?.at.map(({ seq }) => seq)).toEqual([before.length]);
    expect(await store.board(`${taskId}-other`)).toBeNull();
    // What was acknowledged is known by its id, as on any engine.
    expect(await store.tasksById([`${taskId}-other`])).toEqual([
      expect.objectContaining({ status: 'RUNNING' }),
    ]);
    await expect(store.viewsReach([position])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    difficulty.end();
    await store.viewsReach([position]);
    const now = foldLog(await wholeLog(real)).tasks;
    expect(await store.tasksById([taskId])).toEqual(now.filter(({ id }) => id === taskId));
    expect((await store.tasksChangedSince([], 10)).tasks).toHaveLength(2);
  });

  it('leaves out heads, proves ranges in pieces and is away, by the numbers of its source', async () => {
    const { store, difficulty } = difficult;
    const [head = expect.fail()] = await real.heads(null);
    difficulty.chances = { shortRead: 0.7, headAway: 0.3, unavailable: 0.3 };
    const seqs: number[] = [];
    const answers = { heads: 0, none: 0, refused: 0 };
    for (let seq = 0; seq < head.seq || answers.none === 0 || answers.refused === 0; ) {
      try {
        if ((await store.heads(null)).length === 0) answers.none++;
        else answers.heads++;
        const slice = await store.readLog({ ...head, seq }, head.seq, null, 10);
        expect(slice.through).toBeGreaterThanOrEqual(seq);
        seqs.push(...slice.events.map(({ position }) => position.seq));
        seq = slice.through;
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
        answers.refused++;
      }
    }
    difficulty.end();
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    expect(seqs).toHaveLength(head.seq);
    expect(answers.heads).toBeGreaterThan(0);
    expect(await store.heads(null)).toEqual(await real.heads(null));
  });

  it('lets a test in between the moment in which events are durable and their acknowledgement', async () => {
    const { store, difficulty } = difficult;
    let seen = 0;
    difficulty.onStored = async () => {
      seen = (await wholeLog(real)).length;
    };
    const before = (await wholeLog(real)).length;
    await store.append([aStatus('RUNNING', { taskId: `moment-${++tasks}` })]);
    expect(seen).toBe(before + 1);
    difficulty.end();
  });
});
