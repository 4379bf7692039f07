/** What was deployed to a host and how it went; each leads to its run in the deployment. */
import { addressOf } from '../address/address.ts';
import { timeOf } from '../explore/figures.ts';
import type { HostHistoryQuery } from '../gen/graphql.ts';
import { plainText } from '../log/text.ts';
import { useNow } from '../parts/clock.ts';
import { Status } from '../parts/status.tsx';
import { moment } from '../parts/time.ts';
import { whatOf } from '../parts/what.ts';

type HostRun = NonNullable<HostHistoryQuery['host']>['runs']['nodes'][number];

const REASON_MAX = 300;

export function HostRuns({ host, runs }: { host: string; runs: readonly HostRun[] }) {
  const now = useNow();
  return (
    <table class="list host-runs" aria-label="Deployments to this host">
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Deployment</th>
          <th scope="col">What</th>
          <th scope="col">Why</th>
          <th scope="col" class="number">
            Took
          </th>
          <th scope="col">Began</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr key={run.taskId}>
            <td>
              <Status status={run.status} stale={run.stale} />
            </td>
            <td class="name">
              <a href={addressOf(['tasks', run.taskId], { host })}>{run.taskId}</a>
            </td>
            <td class="name">{whatOf(run.task)}</td>
            <td class="reason">{reasonOf(run)}</td>
            <td class="number">{timeOf(run.durationMs)}</td>
            <td class="nowrap">{run.startedAt !== null && moment(run.startedAt, now)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The step that failed and what it said. */
function reasonOf({ steps, status }: HostRun): string {
  if (status !== 'FAILED') return '';
  const failed = steps.find((step) => step.status === 'FAILED' || step.status === 'TIMED_OUT');
  if (failed === undefined) return '';
  const said = plainText(failed.error?.message ?? '').slice(0, REASON_MAX);
  return said === '' ? failed.name : `${failed.name}: ${said}`;
}
