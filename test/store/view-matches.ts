import { isStale, type RunView, type StepView } from '../../src/domain/fold/views.ts';
import { matchesHost, type RunFilter, type StepFilter } from '../../src/domain/search/filter.ts';
import { contractSettings } from './harness.ts';

const { now, staleAfterMs } = contractSettings;

function allowed<T>(values: readonly T[] | undefined, value: T | null): boolean {
  return values === undefined || values.length === 0 || (value !== null && values.includes(value));
}

function within(from: number | undefined, to: number | undefined, at: number | null): boolean {
  return (
    (from === undefined || (at !== null && at >= from)) &&
    (to === undefined || (at !== null && at < to))
  );
}

export function matchesRun(filter: RunFilter, run: RunView): boolean {
  const failed = run.steps.some(
    ({ name, status }) =>
      name === filter.failedStep && (status === 'FAILED' || status === 'TIMED_OUT'),
  );
  return (
    (filter.taskId === undefined || filter.taskId === run.taskId) &&
    allowed(filter.services, run.service) &&
    allowed(filter.environments, run.environment) &&
    allowed(filter.versions, run.version) &&
    matchesHost(filter.hosts, run.host) &&
    allowed(filter.statuses, run.status) &&
    (filter.stale === undefined || filter.stale === isStale(run, now(), staleAfterMs)) &&
    (filter.outOfRotation === undefined ||
      filter.outOfRotation === (run.outOfRotationSince !== null)) &&
    (filter.failedStep === undefined || failed) &&
    within(filter.from, filter.to, run.startedAt)
  );
}

export function matchesStep(filter: StepFilter, step: StepView): boolean {
  return (
    (filter.taskId === undefined || filter.taskId === step.taskId) &&
    allowed(filter.services, step.service) &&
    allowed(filter.environments, step.environment) &&
    allowed(filter.versions, step.version) &&
    matchesHost(filter.hosts, step.host) &&
    allowed(filter.steps, step.name) &&
    allowed(filter.statuses, step.status) &&
    (filter.minDurationMs === undefined ||
      (step.durationMs !== null && step.durationMs >= filter.minDurationMs)) &&
    (filter.errorCode === undefined || step.error?.code === filter.errorCode) &&
    within(filter.from, filter.to, step.startedAt)
  );
}
