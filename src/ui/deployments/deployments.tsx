/** Is it going well, which one is not, and why: the first view. */
import { addressOf } from '../address/address.ts';
import type { DeploymentRowFragment } from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { Status } from '../parts/status.tsx';
import { duration, moment } from '../parts/time.ts';
import './deployments.css';
import { useDeployments } from './deployments-list.ts';
import { Progress } from './progress.tsx';

export function Deployments() {
  const list = useDeployments('{}');
  return (
    <>
      <h1>Deployments</h1>
      {list.error !== null && (
        <p role="alert" class="problem">
          {list.error.message}
        </p>
      )}
      {list.rows?.length === 0 ? (
        <p>
          No deployment yet. <code>shiplog simulate --hosts 40</code> shows one, and{' '}
          <code>shiplog run</code> reports a real step.
        </p>
      ) : (
        <DeploymentsTable rows={list.rows ?? []} />
      )}
      {list.more !== null && (
        <button type="button" onClick={list.more}>
          Show more
        </button>
      )}
    </>
  );
}

function DeploymentsTable({ rows }: { rows: readonly DeploymentRowFragment[] }) {
  const now = useNow();
  return (
    <table class="deployments" aria-label="Deployments">
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Deployment</th>
          <th scope="col">What</th>
          <th scope="col">Hosts</th>
          <th scope="col">Took</th>
          <th scope="col">Began</th>
          <th scope="col">By</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <DeploymentRow key={row.id} row={row} now={now} />
        ))}
      </tbody>
    </table>
  );
}

function DeploymentRow({ row, now }: { row: DeploymentRowFragment; now: number }) {
  const what = [row.service, row.version].filter((text) => text !== null).join(' ');
  const began = Date.parse(row.startedAt ?? row.createdAt);
  const took = row.durationMs ?? (row.finishedAt === null ? now - began : null);
  return (
    <tr>
      <td>
        <Status status={row.status} stale={row.stale} />
      </td>
      <td class="deployment">
        <a href={addressOf(['tasks', row.id])}>{row.id}</a>
        {row.failureGroups.map((group) => (
          <div key={group.fingerprint} class="cause">
            {group.hostCount} × {group.message}
          </div>
        ))}
      </td>
      <td>
        {what}
        {row.environment !== null && <> → {row.environment}</>}
      </td>
      <td>
        <Progress counts={row.runCounts} />
      </td>
      <td>{took === null ? '' : duration(Math.max(0, took))}</td>
      <td>
        <time dateTime={row.createdAt}>{moment(row.createdAt, now)}</time>
      </td>
      <td>{row.createdBy}</td>
    </tr>
  );
}
