/** Failed and timed-out steps by cause, for whoever has the steps at hand. */
import { normaliseFailure } from '../failure/failure.ts';
import { compareText } from '../text/text-order.ts';
import type { FailureGroup, StepView } from './views.ts';

export interface FailedStep {
  fingerprint: string;
  taskId: string;
  host: string;
  step: string;
  /** When it ended. */
  at: number;
}

/** A group but for its sample, which is the newest of its steps. */
export interface GroupedFailures {
  fingerprint: string;
  count: number;
  /** Names, and when they were last in the group. */
  hosts: Map<string, number>;
  tasks: Map<string, number>;
  steps: Map<string, number>;
  firstAt: number;
  lastAt: number;
  newest: FailedStep;
}

const MAX_NAMES = 20;

/** The largest groups first; of equal ones the latest, and then by fingerprint. */
export function groupFailures(newestFirst: Iterable<FailedStep>, first: number): GroupedFailures[] {
  const groups = new Map<string, GroupedFailures>();
  for (const step of newestFirst) add(groups, step);
  return [...groups.values()]
    .sort(
      (a, b) =>
        b.count - a.count || b.lastAt - a.lastAt || (a.fingerprint < b.fingerprint ? -1 : 1),
    )
    .slice(0, first);
}

/** The latest first; steps that ended at the same time by their names. */
export function compareFailed(a: FailedStep, b: FailedStep): number {
  return (
    b.at - a.at ||
    compareText(a.taskId, b.taskId) ||
    compareText(a.host, b.host) ||
    compareText(a.step, b.step)
  );
}

function add(groups: Map<string, GroupedFailures>, failed: FailedStep): void {
  const { fingerprint, taskId, host, step, at } = failed;
  let group = groups.get(fingerprint);
  if (group === undefined) {
    group = {
      ...{ fingerprint, count: 0, firstAt: at, lastAt: at, newest: failed },
      ...{ hosts: new Map(), tasks: new Map(), steps: new Map() },
    };
    groups.set(fingerprint, group);
  }
  group.count++;
  group.firstAt = at;
  if (!group.hosts.has(host)) group.hosts.set(host, at);
  if (!group.tasks.has(taskId)) group.tasks.set(taskId, at);
  if (!group.steps.has(step)) group.steps.set(step, at);
}

export function failureGroup(group: GroupedFailures, sample: StepView): FailureGroup {
  const { fingerprint, count, hosts, steps, tasks, firstAt, lastAt } = group;
  return {
    ...{ fingerprint, count, hostCount: hosts.size, firstAt, lastAt, sample },
    message: failureMessage(sample),
    hosts: namesOf(hosts),
    steps: namesOf(steps),
    tasks: namesOf(tasks),
  };
}

export function failureMessage({ failure, host, error }: StepView): string {
  return normaliseFailure(failure?.text ?? '', host, error?.code ?? null);
}

/** The newest, and of those of one moment the first by name. */
function namesOf(names: ReadonlyMap<string, number>): string[] {
  return [...names]
    .sort(([a, at], [b, bt]) => bt - at || compareText(a, b))
    .slice(0, MAX_NAMES)
    .map(([name]) => name);
}
