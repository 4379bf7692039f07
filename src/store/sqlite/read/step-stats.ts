/** Statistics of steps that began: counts, and percentiles by nearest rank of their durations. */

import { type StepGroup, stepGroupKey } from '../../../domain/fold/step-groups.ts';
import type { StepStats } from '../../../domain/fold/views.ts';
import { meanMs, percentileMs, sumOf, wholeMs } from '../../../domain/percentile.ts';
import type { StepFilter } from '../../../domain/search/filter.ts';
import type { StepGroupBy } from '../../store.ts';
import { NEVER, stepStatuses } from '../file/codes.ts';
import type { Connection } from '../file/connection.ts';
import { STEP_FROM, stepWhere } from '../query/steps.ts';

const MAX_GROUPS = 1_000;
const DAY_MS = 86_400_000;

interface Group {
  key: string;
  step: string | null;
  host: string | null;
  service: string | null;
  day: number | null;
  count: number;
  succeeded: number;
  failed: number;
  durations: number[];
}

type Row = [
  step: string,
  host: string,
  service: string | null,
  startedAt: number,
  status: number,
  duration: number,
];

export function readStepStats(
  connection: Connection,
  filter: StepFilter,
  groupBy: StepGroupBy,
): StepStats[] {
  const where = stepWhere(filter).add('s.started_at > ?', NEVER);
  const sql = `SELECT s.name, r.host, t.service, s.started_at, s.status, s.duration
    FROM ${STEP_FROM} WHERE alive() AND ${where.sql}`;
  const groups = new Map<string, Group>();
  for (const row of connection.arrays<Row>(sql, where.params)) addTo(groups, groupBy, row);
  return [...groups.values()]
    .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
    .slice(0, MAX_GROUPS)
    .map(statsOf);
}

const SUCCEEDED = stepStatuses.code('SUCCEEDED');
const FAILED = stepStatuses.code('FAILED');
const TIMED_OUT = stepStatuses.code('TIMED_OUT');

function addTo(groups: Map<string, Group>, groupBy: StepGroupBy, row: Row): void {
  const [step, host, service, startedAt, status, duration] = row;
  const day = Math.floor(startedAt / DAY_MS) * DAY_MS;
  const of = groupOf(groupBy, step, host, service, day);
  const key = stepGroupKey(of);
  let group = groups.get(key);
  if (group === undefined) {
    group = {
      key,
      step: of.step ?? null,
      host: of.host ?? null,
      service: of.service ?? null,
      day: of.day ?? null,
      count: 0,
      succeeded: 0,
      failed: 0,
      durations: [],
    };
    groups.set(key, group);
  }
  group.count++;
  if (status === SUCCEEDED) group.succeeded++;
  if (status === FAILED || status === TIMED_OUT) group.failed++;
  if (duration !== NEVER) group.durations.push(duration);
}

function groupOf(
  groupBy: StepGroupBy,
  step: string,
  host: string,
  service: string | null,
  day: number,
): StepGroup {
  switch (groupBy) {
    case 'STEP':
      return { step };
    case 'HOST':
      return { host };
    case 'STEP_AND_SERVICE':
      return { step, service };
    case 'STEP_AND_DAY':
      return { step, day };
  }
}

function statsOf({ durations, ...group }: Group): StepStats {
  const sorted = Float64Array.from(durations).sort();
  return {
    ...group,
    p50Ms: percentileMs(sorted, 50),
    p90Ms: percentileMs(sorted, 90),
    p95Ms: percentileMs(sorted, 95),
    p99Ms: percentileMs(sorted, 99),
    maxMs: wholeMs(sorted.at(-1) ?? null),
    avgMs: meanMs(sumOf(sorted), sorted.length),
  };
}
