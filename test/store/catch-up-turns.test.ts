/** In which order shards catch up, and how many of them at a time. */
import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { CatchUpTurns } from '../../src/store/elasticsearch/keeper/catch-up-turns.ts';

const DAYS = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05'];

describe('Shards that catch up', () => {
  let failing: Set<string>;
  let turns: CatchUpTurns;
  /** Those whose turn it is. */
  let going: string[];

  beforeEach(() => {
    failing = new Set();
    turns = new CatchUpTurns((shard) => failing.has(shard));
    going = [];
  });

  async function take(...shards: string[]): Promise<void> {
    for (const shard of shards) {
      going = going.filter((name) => name !== shard);
      void turns.take(shard, shard.slice(0, 10)).then(() => going.push(shard));
    }
    await setImmediate();
  }
  async function give(shard: string): Promise<void> {
    going = going.filter((name) => name !== shard);
    turns.give(shard);
    await setImmediate();
  }
  const shardsOf = (days: readonly string[]) => days.map((day) => `${day}/0`);

  it('are few at a time, the newest day first, and one place is for the newest day alone', async () => {
    await take(...shardsOf(DAYS.slice(0, 4)));
    // The fourth was the newest, as far as anybody knew.
    expect(going.toSorted()).toEqual(shardsOf([DAYS[0] ?? '', DAYS[1] ?? '', DAYS[2] ?? '']));
    for (const shard of going.toSorted()) await give(shard);
    expect(going).toEqual(shardsOf([DAYS[3] ?? '']));
    await take(...shardsOf(DAYS));
    await give('2026-01-04/0');
    expect(going.at(-1)).toBe('2026-01-05/0');
  });

  it('give way to a newer day between two pieces, and keep their place where none waits', async () => {
    await take('2026-01-05/0', '2026-01-02/0', '2026-01-03/0', '2026-01-01/0');
    expect(going.toSorted()).toEqual(shardsOf(['2026-01-02', '2026-01-03', '2026-01-05']));
    await take('2026-01-04/0');
    expect(going).toHaveLength(3);
    // The next piece of one that is newer than those who wait for its place.
    await take('2026-01-05/0');
    expect(going).toContain('2026-01-05/0');
    await take('2026-01-02/0');
    expect(going.toSorted()).toEqual(shardsOf(['2026-01-03', '2026-01-04', '2026-01-05']));
    await give('2026-01-05/0');
    // The place of the newest day stays free.
    expect(going.toSorted()).toEqual(shardsOf(['2026-01-03', '2026-01-04']));
    await give('2026-01-04/0');
    expect(going.toSorted()).toEqual(shardsOf(['2026-01-02', '2026-01-03']));
  });

  it('of one day stay at it until they have caught up', async () => {
    await take('2026-01-05/0', '2026-01-01/0', '2026-01-01/1', '2026-01-01/2');
    await take('2026-01-01/0');
    await take('2026-01-01/1');
    expect(going.toSorted()).toEqual(['2026-01-01/0', '2026-01-01/1', '2026-01-05/0']);
    await give('2026-01-01/0');
    expect(going.toSorted()).toEqual(['2026-01-01/1', '2026-01-01/2', '2026-01-05/0']);
  });

  it('come after all others where they fail', async () => {
    failing.add('2026-01-04/0').add('2026-01-03/0');
    await take('2026-01-05/0', '2026-01-02/0', '2026-01-01/0', '2026-01-04/0', '2026-01-03/0');
    expect(going.toSorted()).toEqual(shardsOf(['2026-01-01', '2026-01-02', '2026-01-05']));
    await give('2026-01-02/0');
    expect(going).toContain('2026-01-04/0');
    await take('2026-01-02/0', '2026-01-04/0');
    expect(going).toContain('2026-01-02/0');
    expect(going).not.toContain('2026-01-04/0');
  });

  it('wait no more where the store is closed', async () => {
    await take(...shardsOf(DAYS));
    turns.close();
    await setImmediate();
    expect(going.toSorted()).toEqual(shardsOf(DAYS));
    await take('2026-01-06/0');
    expect(going).toContain('2026-01-06/0');
  });
});
