/** What a task can make long is capped, on every engine in the same place. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ANSWER_MAX } from '../../src/domain/answer-bounds.ts';
import type { PageRequest } from '../../src/domain/cursor/page.ts';
import { DEFAULT_PLAN } from '../../src/domain/event/event.ts';
import { approximateBytes } from '../../src/domain/event/event-weight.ts';
import { MATRIX_STEPS_MAX } from '../../src/domain/fold/board-bounds.ts';
import { anEvent, aStatus, aTaskEvent } from './events.ts';
import { aPage, contractSettings, fill, type OpenedStore, type OpenStore } from './harness.ts';

const HOSTS = ['a', 'b', 'c'];
/** By name behind all others, so that only the plan brings it among the first. */
const LAST_PLANNED = 'unpack';
const STEPS_PER_HOST = 400;

const LINES = 20;
const HEAVY_HOSTS = Array.from({ length: 20 }, (_, i) => `heavy-${i}`);

/** Commands are as long as they may be: a page of these runs is 4.5 MB. */
function describeHeavyRuns(open: OpenStore): void {
  describe('of runs with very long commands', () => {
    let opened: OpenedStore;
    const page = aPage();
    const query = { filter: { taskId: 'heavy' }, order: 'HOST_ASC' as const, page };
    beforeAll(async () => {
      opened = await open(contractSettings);
      const command = 'x'.repeat(32_000);
      const steps = HEAVY_HOSTS.flatMap((host) =>
        DEFAULT_PLAN.map((step) => aStatus('RUNNING', { taskId: 'heavy', host, step, command })),
      );
      for (let at = 0; at < steps.length; at += 20) {
        await fill(opened.store, steps.slice(at, at + 20));
      }
    });
    afterAll(() => opened.close());

    it('pages come while they are not too much together, and else are refused [T1]', async () => {
      const pages = await opened.store.runs([query, query]);
      expect(pages.map(({ rows }) => rows.length)).toEqual([20, 20]);
      const many = Array.from({ length: 16 }, () => query);
      const refusal = { code: 'QUERY_TOO_COMPLEX', message: expect.stringContaining('64 MiB') };
      // A small node that is busy has no room for it just then: asked again, as it says.
      await vi.waitFor(() => expect(opened.store.runs(many)).rejects.toMatchObject(refusal), {
        timeout: 20_000,
        interval: 1_000,
      });
    });
  });
}

/** Lines are as long as they may be: what is asked for is 52 MB. */
function describeHeavyLines(open: OpenStore): void {
  describe('of steps with very long lines', () => {
    let opened: OpenedStore;
    const keys = Array.from({ length: 40 }, (_, i) => ({
      taskId: 'loud',
      host: `h-${i}`,
      step: 'backup',
    }));
    beforeAll(async () => {
      opened = await open(contractSettings);
      const text = 'x'.repeat(65_000);
      for (let line = 0; line < LINES; line++) {
        const message = `${line} ${text}`;
        await fill(
          opened.store,
          keys.map((key) => anEvent({ ...key, message })),
        );
      }
    });
    afterAll(() => opened.close());

    it('all last lines come while they are not too much together [D1]', async () => {
      const [lines] = await opened.store.lastLines(keys.slice(0, 1), LINES);
      expect(lines?.map(({ message }) => message?.split(' ')[0])).toEqual(
        Array.from({ length: LINES }, (_, line) => String(line)),
      );
    });

    it('else fewer of each, the newest [D2]', async () => {
      const found = await opened.store.lastLines(keys, LINES);
      const count = found[0]?.length ?? 0;
      expect(count).toBeGreaterThanOrEqual(ANSWER_MAX / keys.length / 65_000 / 2 - 1);
      const bytes = found.flat().reduce((sum, event) => sum + approximateBytes(event), 0);
      expect(bytes).toBeLessThanOrEqual(ANSWER_MAX);
      const newest = Array.from({ length: count }, (_, i) => String(LINES - count + i));
      for (const lines of found) {
        expect(lines.map(({ message }) => message?.split(' ')[0])).toEqual(newest);
      }
    });

    it('a page of events has fewer rows than were asked for, and says that there are more [E2]', async () => {
      const read = async (page: Partial<PageRequest>) => {
        const query = { filter: { taskId: 'loud' }, order: 'LOG' as const };
        const [found] = await opened.store.events([
          { ...query, page: aPage({ limit: 700, ...page }) },
        ]);
        return {
          seqs: found?.rows.map(({ node }) => node.position.seq) ?? [],
          key: found?.rows.at(-1)?.key ?? null,
          more: found?.hasNextPage,
          before: found?.hasPreviousPage,
        };
      };
      const count = keys.length * LINES;
      const first = await read({});
      expect(first.seqs.length).toBeGreaterThan(50);
      expect(first.seqs.length).toBeLessThan(400);
      expect(first.seqs).toEqual(first.seqs.map((_, i) => i + 1));
      expect(first).toMatchObject({ more: true, before: false });
      const second = await read({ after: first.key });
      expect(second.seqs[0]).toBe(first.seqs.length + 1);
      const last = await read({ backward: true });
      expect(last.seqs).toEqual(last.seqs.map((_, i) => count - last.seqs.length + 1 + i));
      expect(last).toMatchObject({ more: false, before: true });
      const around = await read({ around: first.key });
      expect(around.seqs).toContain(first.seqs.length);
      expect(around).toMatchObject({ more: true, before: true });
    });

    it('a slice of the log has fewer events than were asked for, and goes on behind them [R2]', async () => {
      for (const { shard, history, seq } of await opened.store.heads('loud')) {
        const slice = await opened.store.readLog({ shard, history, seq: 0 }, seq, null, 1_000);
        expect(slice.events.length).toBeGreaterThan(0);
        expect(slice.events.length).toBeLessThan(200);
        expect(slice.through).toBe(slice.events.at(-1)?.position.seq);
      }
    });

    it('and one line of each that is too much is refused [D3]', async () => {
      const many = Array.from({ length: 14 }, () => keys).flat();
      await expect(opened.store.lastLines(many, 5)).rejects.toMatchObject({
        code: 'QUERY_TOO_COMPLEX',
      });
    });
  });
}

export function describeCaps(open: OpenStore): void {
  describeHeavyLines(open);
  describeHeavyRuns(open);
  describe('of a task with more names of steps than a board has columns', () => {
    let opened: OpenedStore;
    const taskId = 'wide';
    const others = HOSTS.flatMap((host) =>
      Array.from({ length: STEPS_PER_HOST }, (_, i) => `${host}-${String(i).padStart(3, '0')}`),
    );
    const columns = [
      ...DEFAULT_PLAN,
      ...others.toSorted().slice(0, MATRIX_STEPS_MAX - DEFAULT_PLAN.length),
    ];
    beforeAll(async () => {
      opened = await open(contractSettings);
      const error = { code: null, message: 'disk full' };
      const failed = others.map((step) =>
        aStatus('FAILED', { taskId, host: step.slice(0, 1), step, error }),
      );
      const done = HOSTS.map((host) => aStatus('SUCCEEDED', { taskId, host, step: LAST_PLANNED }));
      const declared = aTaskEvent({ change: 'began', plan: [...DEFAULT_PLAN] }, { taskId });
      await fill(opened.store, [declared, ...failed, ...done]);
    });
    afterAll(() => opened.close());

    it('the board has the planned ones and the first others by name [B2]', async () => {
      const board = (await opened.store.matrices([taskId]))[0]?.matrix;
      expect(board?.hosts).toEqual(HOSTS);
      expect(board?.steps).toEqual(columns);
      const row = (host: string) =>
        columns.map((step) => {
          if (step === LAST_PLANNED) return 'S';
          if (DEFAULT_PLAN.includes(step as never)) return 'P';
          return step.startsWith(`${host}-`) ? 'F' : '-';
        });
      expect(board?.cells).toBe(HOSTS.flatMap(row).join(''));
    });

    it('the summaries are of the same steps, and count them [T7]', async () => {
      const [stats] = await opened.store.taskStats([taskId]);
      expect(stats?.stepSummaries.map(({ step }) => step)).toEqual(columns);
      for (const { step, succeeded, failed } of stats?.stepSummaries ?? []) {
        const planned = DEFAULT_PLAN.includes(step as never);
        expect([succeeded, failed]).toEqual([
          step === LAST_PLANNED ? HOSTS.length : 0,
          planned ? 0 : 1,
        ]);
      }
    });

    it('a group of failures names twenty steps [G5]', async () => {
      const [groups] = await opened.store.failureGroups([{ filter: { taskId }, first: 1 }]);
      expect(groups?.[0]?.count).toBe(others.length);
      expect(groups?.[0]?.steps).toHaveLength(20);
    });
  });
}
