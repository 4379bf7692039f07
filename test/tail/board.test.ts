/** A board in memory shows what a fold of its events shows, and who asks is told of each change. */
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/domain/event/event.ts';
import { MATRIX_STEPS_MAX } from '../../src/domain/fold/board-bounds.ts';
import { cellLetter } from '../../src/domain/fold/views.ts';
import { Board } from '../../src/tail/board/board.ts';
import { BoardBatches } from '../../src/tail/board/board-batches.ts';
import { anEvent, aTaskEvent, randomOf } from '../store/events.ts';
import { foldLog } from '../store/oracle.ts';
import { quietLog } from '../support/engines.ts';

const STALE_AFTER_MS = 1_000;

function stored(events: Parameters<typeof anEvent>[0][]): StoredEvent[] {
  return events.map((fields, i) => ({
    ...anEvent({ taskId: 't', ...fields }),
    position: { shard: 'log', seq: i + 1 },
  }));
}

describe('a board in memory', () => {
  let now = 1_760_000_000_000;
  const settings = { taskId: 't', staleAfterMs: STALE_AFTER_MS, now: () => now, log: quietLog };
  const empty = () => new Board(settings, { task: null, runs: [], at: [] });
  const fold = (board: Board, events: readonly StoredEvent[]) => {
    board.fold(events, { shard: 'log', history: 1, seq: events.at(-1)?.position.seq ?? 0 });
    while (!board.settle(1));
  };
  const step = (host: string, name: string, status: StoredEvent['status']) =>
    ({ host, step: name, status, kind: 'STEP' }) as const;

  it('has the letters of a fold of its events, whatever steps are reported and whatever ends', () => {
    const random = randomOf(3);
    const of = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    const events = stored(
      Array.from({ length: 400 }, (_, i) =>
        i === 200
          ? aTaskEvent({ change: 'began', plan: ['b', 'x'] })
          : {
              ...step(
                of(['h1', 'h2', 'h3']),
                of(['a', 'b', 'c', 'x', 'y']),
                of(['RUNNING', 'FAILED', 'SUCCEEDED'] as const),
              ),
              attempt: of([1, 2, 3]),
            },
      ),
    );
    const board = empty();
    for (let seen = 0; seen < events.length; seen += 7) {
      fold(board, events.slice(seen, seen + 7));
      const { runs } = foldLog(events.slice(0, seen + 7));
      const { steps, hosts, cells } = board.matrix();
      const expected = hosts.map((host) => {
        const run = runs.find((one) => one.host === host);
        return steps
          .map((name) => {
            const status = run?.steps.find((one) => one.name === name)?.status;
            return status === undefined ? '-' : cellLetter(status, false);
          })
          .join('');
      });
      expect(cells).toBe(expected.join(''));
      expect(hosts).toEqual(runs.map(({ host }) => host).sort());
    }
  });

  it('that is too large loses its last columns, and each row with them', () => {
    const events = Array.from({ length: 3 }, (_, host) =>
      Array.from({ length: 400 }, (_, i) => step(`h${host}`, `s${host}-${i}`, 'SUCCEEDED')),
    );
    const board = empty();
    fold(board, stored(events.flat()));
    const { steps, hosts, cells } = board.matrix();
    expect(steps).toHaveLength(MATRIX_STEPS_MAX);
    expect(hosts).toEqual(['h0', 'h1', 'h2']);
    expect(cells).toHaveLength(3 * MATRIX_STEPS_MAX);
  });

  it('tells each run once, where it changed last, in parts that follow one another', () => {
    const board = empty();
    const hosts = Array.from({ length: 30 }, (_, i) => `h${i}`);
    const events = stored(
      [1, 2, 3, 4].flatMap((attempt) =>
        hosts.map((host) => ({ ...step(host, 'backup', 'RUNNING'), attempt })),
      ),
    );
    for (let seen = 0; seen < events.length; seen += 45) fold(board, events.slice(seen, seen + 45));
    const told: string[] = [];
    let version = 0;
    for (let more = true; more; ) {
      const part = board.changedSince(version, 7);
      told.push(...part.runs.map(({ host }) => host));
      ({ version, more } = part);
    }
    expect(told.sort()).toEqual(hosts.toSorted());
  });

  it('takes less memory for runs that ended a while ago, and shows them as before', () => {
    const board = empty();
    const events = stored([
      step('h1', 'a', 'RUNNING'),
      step('h2', 'a', 'RUNNING'),
      step('h1', 'a', 'SUCCEEDED'),
      { ...step('h1', 'a', 'RUNNING'), attempt: 2 },
    ]);
    fold(board, events.slice(0, 2));
    fold(board, events.slice(2, 3));
    const shown = () => [board.matrix(), board.runsOf(['h1', 'h2'])];
    const [before, bytes] = [shown(), board.bytes];
    board.tick();
    expect(board.bytes).toBe(bytes);
    board.tick();
    expect(board.bytes).toBeLessThan(bytes);
    expect(shown()).toEqual(before);
    // It can be heard of again.
    fold(board, events.slice(3));
    expect(board.matrix().cells).toBe('RR');
  });

  it('shows a run as stale once it is silent, and as running when it is heard again', () => {
    const board = empty();
    const said = { ...step('h', 'backup', 'RUNNING'), at: now, receivedAt: now };
    const [first, second] = stored([said, { ...said, receivedAt: now + 10 * STALE_AFTER_MS }]);
    fold(board, [first as StoredEvent]);
    const letter = () => board.matrix().cells[0];
    expect(letter()).toBe('R');
    now += 2 * STALE_AFTER_MS;
    board.tick();
    board.settle(1);
    expect(letter()).toBe('r');
    const { version } = board.settled;
    fold(board, [second as StoredEvent]);
    expect(letter()).toBe('R');
    expect(board.changedSince(version, 10).runs.map(({ host }) => host)).toEqual(['h']);
  });

  it('tells whoever resumes of the runs that fell silent meanwhile, and of no others', () => {
    const board = empty();
    const said = { at: now, receivedAt: now };
    fold(
      board,
      stored(
        [step('h1', 'a', 'SUCCEEDED'), step('h2', 'a', 'RUNNING')].map((one) => ({
          ...one,
          ...said,
        })),
      ),
    );
    const batches = new BoardBatches(board, (heads) => JSON.stringify([...heads.values()]));
    const { cursor } = batches.whole().batch;
    const told = () => {
      const step = batches.step(batches.resume(JSON.parse(cursor)));
      return step?.batch.changed.map(({ host }) => host);
    };
    expect(told()).toEqual([]);
    now += 2 * STALE_AFTER_MS;
    board.tick();
    board.settle(1);
    expect(told()).toEqual(['h2']);
  });
});
