/** Is it going well, which one is not, and why: the first view. */
import { useRef } from 'preact/hooks';
import { addressOf } from '../address/address.ts';
import { useViewQuery } from '../data/view-query.ts';
import { type DeploymentRowFragment, DeploymentsDocument } from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { Skeleton } from '../parts/skeleton.tsx';
import { Status } from '../parts/status.tsx';
import { duration, moment } from '../parts/time.ts';
import { useTitle } from '../parts/title.ts';
import { whatOf } from '../parts/what.ts';
import './deployments.css';
import { useDeployments } from './deployments-list.ts';
import { Filters, useDeploymentFilter } from './filters.tsx';
import { Progress } from './progress.tsx';
import { type CalmRows, useCalmRows } from './use-calm-rows.ts';
import { counted } from '../parts/count.ts';
import { plainText } from '../log/text.ts';

export function Deployments() {
  const filter = useDeploymentFilter();
  const key = JSON.stringify(filter);
  const list = useDeployments(key);
  const view = `${key} ${list.history} ${list.rows === null}`;
  const calm = useCalmRows(list.rows ?? [], view, list.end);
  useTitle('Deployments');
  useViewQuery(DeploymentsDocument, { filter, first: 50 });
  const plus = list.totalIsExact ? '' : '+';
  const shown = list.rows === null ? '' : `${list.total.toLocaleString('en')}${plus} shown`;
  return (
    <>
      <h1>Deployments</h1>
      <Filters shown={shown} rows={list.rows ?? []} />
      {list.error !== null && (
        <p role="alert" class="problem">
          {list.error.message}
        </p>
      )}
      {list.rows?.length === 0 && list.error === null && <NothingShown filtered={key !== '{}'} />}
      {list.rows === null && list.error === null && <Skeleton />}
      {calm.waiting > 0 && (
        <button type="button" class="waiting-rows" onClick={calm.showWaiting}>
          {counted(calm.waiting, 'new deployment')} ↑
        </button>
      )}
      {calm.rows.length > 0 && <DeploymentsTable calm={calm} />}
      {list.more !== null && (
        <p>
          <button type="button" onClick={list.more}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}

function NothingShown({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <p>
        No deployment is like this. <a href="/">Show all of them</a>.
      </p>
    );
  }
  return (
    <p>
      No deployment yet. <code>shiplog simulate --hosts 40</code> shows one, and{' '}
      <code>shiplog run</code> reports a real step. It appears here as soon as it begins.
    </p>
  );
}

function DeploymentsTable({ calm }: { calm: CalmRows }) {
  const { rows, onPointerEnter, onPointerLeave } = calm;
  const now = useNow();
  const first = useRef(Date.now());
  return (
    <table
      class="deployments"
      aria-label="Deployments"
      onPointerEnter={onPointerEnter}
      onPointerLeave={onPointerLeave}
    >
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Deployment</th>
          <th scope="col">What</th>
          <th scope="col">Hosts</th>
          <th scope="col" class="number">
            Took
          </th>
          <th scope="col" class="number">
            Began
          </th>
          <th scope="col">By</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <DeploymentRow
            key={row.id}
            row={row}
            now={now}
            arrived={Date.parse(row.createdAt) > first.current}
          />
        ))}
      </tbody>
    </table>
  );
}

/** In a row; the query asks for one more. */
const CAUSES = 2;

interface DeploymentRowProps {
  row: DeploymentRowFragment;
  now: number;
  /** It came while the list was shown. */
  arrived: boolean;
}

function DeploymentRow({ row, now, arrived }: DeploymentRowProps) {
  const took = row.durationMs ?? (row.finishedAt === null ? now - Date.parse(row.createdAt) : null);
  return (
    <tr class={arrived ? 'arrived' : undefined}>
      <td class="how">
        <Status status={row.status} stale={row.stale} />
      </td>
      <td class="deployment">
        <a href={addressOf(['tasks', row.id])}>{row.id}</a>
        {row.title !== null && <span class="title"> {shortened(row.title)}</span>}
        {row.failureGroups.slice(0, CAUSES).map((group) => (
          <div key={group.fingerprint} class="cause" title={plainText(group.message)}>
            <span aria-hidden="true">✖</span> {group.hostCount.toLocaleString('en')} ×{' '}
            {plainText(group.message)}
          </div>
        ))}
        {row.failureGroups.length > CAUSES && <div class="cause">and other causes</div>}
      </td>
      <td class="what" title={whatOf(row)}>
        {whatOf(row)}
      </td>
      <td class="hosts">
        <Progress counts={row.runCounts} />
      </td>
      <td class="number">{took === null ? '' : duration(Math.max(0, took))}</td>
      <td class="number">
        <time dateTime={row.createdAt} title={row.createdAt}>
          {moment(row.createdAt, now)}
        </time>
      </td>
      <td class="who" title={row.createdBy ?? undefined}>
        {row.createdBy}
      </td>
    </tr>
  );
}

const TITLE_SHOWN = 200;

/** The view of the deployment has all of it. */
function shortened(title: string): string {
  const text = plainText(title);
  return text.length <= TITLE_SHOWN ? text : `${text.slice(0, TITLE_SHOWN).toWellFormed()} …`;
}
