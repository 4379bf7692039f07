import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOG_LEVELS, type StoredEvent } from '../../src/domain/event/event.ts';
import { normaliseFailure } from '../../src/domain/failure/failure.ts';
import { isStale, type StepView } from '../../src/domain/fold/views.ts';
import { histogramGrid } from '../../src/domain/histogram.ts';
import { percentile } from '../../src/domain/percentile.ts';
import { type EventFilter, matchesEvent } from '../../src/domain/search/filter.ts';
import { parseSearch } from '../../src/domain/search/search.ts';
import type { StepGroupBy } from '../../src/store/store.ts';
import { STEP_FILTERS } from './contract-views.ts';
import { aFleet, anEvent } from './events.ts';
import { contractSettings, fill, type OpenedStore, type OpenStore, wholeLog } from './harness.ts';
import { type FoldedLog, foldLog } from './oracle.ts';
import { matchesStep } from './view-matches.ts';

const START = 1_760_000_000_000;
const { now, staleAfterMs } = contractSettings;

const HISTOGRAM_FILTERS: EventFilter[] = [
  {},
  { from: START + 10_500, to: START + 250_123 },
  { from: START + 10_001, to: START + 10_950 },
  { minLevel: 'WARN' },
  { levels: ['ERROR'], from: START + 60_777 },
  { to: START + 61_234 },
  { taskId: 'deploy-7-1' },
  { services: ['checkout'], from: START, to: START + 3_600_000 },
  { hosts: ['web-2'], minLevel: 'ERROR' },
  { search: parseSearch('refused') ?? undefined } as EventFilter,
  { from: START - 100_000, to: START - 50_000 },
  { taskId: 'nobody' },
];

/** Numbers, each against the same computed by hand. */
export function describeStatistics(open: OpenStore): void {
  describe('counts', () => {
    let opened: OpenedStore;
    let log: StoredEvent[];
    let folded: FoldedLog;
    beforeAll(async () => {
      opened = await open(contractSettings);
      await fill(opened.store, aFleet({ seed: 7, tasks: 7, failRate: 0.25 }));
      log = await wholeLog(opened.store);
      folded = foldLog(log);
    });
    afterAll(() => opened.close());

    it('its events [G7]', async () => {
      expect(await opened.store.eventCount()).toBe(log.length);
    });

    it('how the runs and steps of tasks stand [T7]', async () => {
      const stats = await opened.store.taskStats(folded.tasks.map(({ id }) => id));
      for (const [at, task] of folded.tasks.entries()) {
        const runs = folded.runs.filter(({ taskId }) => taskId === task.id);
        const count = (status: string) => runs.filter((run) => run.status === status).length;
        expect(stats[at]?.runCounts).toEqual({
          total: runs.length,
          pending: count('PENDING'),
          running: count('RUNNING'),
          succeeded: count('SUCCEEDED'),
          failed: count('FAILED'),
          cancelled: count('CANCELLED'),
          notRun: count('NOT_RUN'),
          stale: runs.filter((run) => isStale(run, now(), staleAfterMs)).length,
        });
        const summaries = stats[at]?.stepSummaries ?? [];
        const names = [...new Set(runs.flatMap(({ steps }) => steps.map(({ name }) => name)))];
        const others = names.filter((name) => !task.plan.includes(name)).sort();
        expect(summaries.map(({ step }) => step)).toEqual([...task.plan, ...others]);
        for (const summary of summaries) {
          const steps = runs.flatMap((run) =>
            run.steps.filter(({ name }) => name === summary.step),
          );
          const durations = durationsOf(steps);
          expect(summary).toMatchObject({
            succeeded: steps.filter(({ status }) => status === 'SUCCEEDED').length,
            failed: steps.filter(({ status }) => status === 'FAILED').length,
            timedOut: steps.filter(({ status }) => status === 'TIMED_OUT').length,
            notRun: steps.filter(({ status }) => status === 'NOT_RUN').length,
            p50Ms: percentile(durations, 50),
            p95Ms: percentile(durations, 95),
            maxMs: durations.at(-1) ?? null,
          });
        }
      }
    });

    it.for(STEP_FILTERS)('steps that began, by %j [G1 G3]', async (filter) => {
      const steps = folded.steps.filter(
        (step) => matchesStep(filter, step) && step.startedAt !== null,
      );
      const groupings: Record<StepGroupBy, (step: StepView) => string> = {
        STEP: ({ name }) => name,
        HOST: ({ host }) => host,
        STEP_AND_SERVICE: ({ name, service }) => JSON.stringify([name, service]),
        STEP_AND_DAY: ({ name, startedAt }) => JSON.stringify([name, dayOf(startedAt ?? 0)]),
      };
      for (const [groupBy, keyOf] of Object.entries(groupings)) {
        const groups = Map.groupBy(steps, keyOf);
        const stats = await opened.store.stepStats(filter, groupBy as StepGroupBy);
        expect(stats).toHaveLength(groups.size);
        expect(new Set(stats.map(({ key }) => key)).size).toBe(groups.size);
        expect(stats.map(({ count }) => count)).toEqual(
          stats.map(({ count }) => count).sort((a, b) => b - a),
        );
        for (const own of stats) {
          const key = {
            STEP: own.step,
            HOST: own.host,
            STEP_AND_SERVICE: JSON.stringify([own.step, own.service]),
            STEP_AND_DAY: JSON.stringify([own.step, own.day]),
          }[groupBy];
          const group = groups.get(key ?? '') ?? [];
          const durations = durationsOf(group);
          const sum = durations.reduce((total, value) => total + value, 0);
          expect(own).toMatchObject({
            count: group.length,
            succeeded: group.filter(({ status }) => status === 'SUCCEEDED').length,
            failed: group.filter(({ failure }) => failure !== null).length,
            p50Ms: percentile(durations, 50),
            p90Ms: percentile(durations, 90),
            p95Ms: percentile(durations, 95),
            p99Ms: percentile(durations, 99),
            maxMs: durations.at(-1) ?? null,
          });
          if (durations.length === 0) expect(own.avgMs).toBeNull();
          else expect(own.avgMs).toBeCloseTo(sum / durations.length, 6);
        }
      }
    });

    it.for(HISTOGRAM_FILTERS)('events over time, by %j [G4]', async (given) => {
      const filter = JSON.parse(JSON.stringify(given)) as EventFilter;
      const matching = log.filter((event) => matchesEvent(filter, event));
      for (const buckets of [1, 7, 60]) {
        const histogram = await opened.store.eventHistogram(filter, buckets);
        const from = filter.from ?? Math.min(...matching.map(({ at }) => at));
        const to = filter.to ?? Math.max(...matching.map(({ at }) => at)) + 1;
        expect(histogram.total).toBe(matching.length);
        if (!Number.isFinite(from) || !Number.isFinite(to)) {
          expect(histogram.buckets).toEqual([]);
          continue;
        }
        const { intervalMs, start, count } = histogramGrid(from, to, buckets);
        expect(histogram.intervalMs).toBe(intervalMs);
        const expected = Array.from({ length: count }, (_, index) => {
          const at = start + index * intervalMs;
          const inside = matching.filter((event) => event.at >= at && event.at < at + intervalMs);
          return {
            at,
            total: inside.length,
            byLevel: LOG_LEVELS.map((level) => ({
              level,
              count: inside.filter((event) => event.level === level).length,
            })).filter((entry) => entry.count > 0),
          };
        });
        expect(histogram.buckets).toEqual(expected);
      }
    });

    it.for(STEP_FILTERS)('failures by cause, by %j [G5]', async (filter) => {
      const failed = folded.steps.filter(
        (step) => matchesStep(filter, step) && step.failure !== null,
      );
      const groups = Map.groupBy(failed, ({ failure }) => failure?.fingerprint ?? '');
      const [found] = await opened.store.failureGroups([{ filter, first: 20 }]);
      expect(found?.map(({ fingerprint }) => fingerprint).sort()).toEqual(
        [...groups.keys()].sort(),
      );
      const counts = found?.map(({ count }) => count) ?? [];
      expect(counts).toEqual(counts.toSorted((a, b) => b - a));
      for (const group of found ?? []) {
        const steps = groups.get(group.fingerprint) ?? [];
        const times = steps.map(({ finishedAt, startedAt }) => finishedAt ?? startedAt ?? 0);
        expect(group).toMatchObject({
          count: steps.length,
          hostCount: new Set(steps.map(({ host }) => host)).size,
          firstAt: Math.min(...times),
          lastAt: Math.max(...times),
        });
        expect(new Set(group.hosts)).toEqual(new Set(steps.map(({ host }) => host)));
        expect(new Set(group.tasks)).toEqual(new Set(steps.map(({ taskId }) => taskId)));
        expect(new Set(group.steps)).toEqual(new Set(steps.map(({ name }) => name)));
        expect(steps).toContainEqual(group.sample);
        const { failure, host, error } = group.sample;
        expect(group.message).toBe(normaliseFailure(failure?.text ?? '', host, error?.code));
      }
      const [one] = await opened.store.failureGroups([{ filter, first: 1 }]);
      expect(one).toEqual(found?.slice(0, 1));
    });

    it('the reliability of hosts [D5]', async () => {
      const names = [...folded.hosts.map(({ name }) => name), 'nowhere'];
      const from = START + 60_000;
      const found = await opened.store.reliability(names, from, null);
      for (const [at, name] of names.entries()) {
        const runs = folded.runs.filter(
          ({ host, startedAt }) => host === name && startedAt !== null && startedAt >= from,
        );
        const failed = runs.filter(({ status }) => status === 'FAILED').length;
        const steps = runs.flatMap((run) => run.steps.filter(({ failure }) => failure !== null));
        const worst = [...Map.groupBy(steps, (step) => step.name)].sort(
          (a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1),
        )[0]?.[0];
        expect(found[at]).toEqual({
          runs: runs.length,
          failed,
          failureRate: runs.length === 0 ? null : failed / runs.length,
          worstStep: worst ?? null,
        });
      }
    });

    it('what is missing of what writers numbered [D4]', async () => {
      const keys = folded.runs.map(({ taskId, host }) => ({ taskId, host }));
      const found = await opened.store.completeness(keys);
      for (const [at, key] of keys.entries()) {
        const own = log.filter(({ taskId, host }) => taskId === key.taskId && host === key.host);
        const numbers = new Set(own.map(({ sequence }) => sequence));
        const last = Math.max(...own.map(({ sequence }) => sequence ?? 0));
        const missing = Array.from({ length: last }, (_, n) => n + 1).filter(
          (number) => !numbers.has(number),
        );
        expect(found[at]?.received).toBe(own.length);
        expect(found[at]?.complete).toBe(missing.length === 0);
        const listed = (found[at]?.missing ?? []).flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, n) => from + n),
        );
        expect(listed).toEqual(missing);
      }
    });

    it('the last lines of the newest attempt [D1]', async () => {
      const keys = folded.steps.map(({ taskId, host, name }) => ({ taskId, host, step: name }));
      const found = await opened.store.lastLines(keys, 2);
      for (const [at, { taskId, host, step }] of keys.entries()) {
        const own = log.filter(
          (event) => event.taskId === taskId && event.host === host && event.step === step,
        );
        const attempt = Math.max(...own.map((event) => event.attempt ?? 0));
        const lines = own.filter((event) => event.kind === 'OUTPUT' && event.attempt === attempt);
        expect(found[at]).toEqual(lines.slice(-2));
      }
    });

    it('the tasks that are silent but not over [M1]', async () => {
      const { store } = opened;
      const open = folded.tasks.filter(({ over }) => !over);
      const latest = Math.max(...open.map(({ lastEventAt }) => lastEventAt));
      const idle = await store.idleTasks(latest + 1, 100);
      expect(idle.map(({ taskId }) => taskId).sort()).toEqual(open.map(({ id }) => id).sort());
      expect(await store.idleTasks(0, 100)).toEqual([]);
    });
  });

  describe('counts no further than it must', () => {
    it('and says that a total beyond 10,000 is not exact [E7]', async () => {
      const opened = await open({ ...contractSettings, maxEventsPerTask: 20_000 });
      try {
        const events = Array.from({ length: 10_050 }, (_, at) =>
          anEvent({ taskId: 'many', at: START + at, message: 'tick' }),
        );
        await fill(opened.store, events, 1_000);
        const page = {
          limit: 1,
          backward: true,
          after: null,
          before: null,
          around: null,
          withTotal: true,
        };
        const search = parseSearch('tick');
        if (search === null) throw new Error('blank');
        const pages = await opened.store.events([
          { filter: {}, order: 'TIME', page },
          { filter: { taskId: 'many' }, order: 'LOG', page },
          { filter: { search }, order: 'TIME', page },
        ]);
        for (const { total, totalIsExact, rows } of pages) {
          expect({ total, totalIsExact }).toEqual({ total: 10_000, totalIsExact: false });
          expect(rows[0]?.node.at).toBe(START + 10_049);
        }
      } finally {
        await opened.close();
      }
    });
  });
}

function durationsOf(steps: readonly StepView[]): number[] {
  return steps
    .flatMap(({ durationMs }) => (durationMs === null ? [] : [durationMs]))
    .sort((a, b) => a - b);
}

function dayOf(at: number): number {
  return Math.floor(at / 86_400_000) * 86_400_000;
}
