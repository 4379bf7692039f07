/** One deployment: how it goes, which hosts failed and why, where each step stands. */
import { useParam } from '../address/address.ts';
import { Board } from '../board/board.tsx';
import { useBoard } from '../board/use-board.ts';
import type { DeploymentHeadFragment } from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { Status } from '../parts/status.tsx';
import { duration, moment } from '../parts/time.ts';
import { LogView } from '../log/log-view.tsx';
import { RunDrawer } from '../run/run-drawer.tsx';
import './deployment.css';
import { Failures } from './failures.tsx';
import { Steps } from './steps.tsx';
import { useHead, useSummary } from './use-deployment.ts';

export function Deployment({ id }: { id: string }) {
  const { head, error } = useHead(id);
  const board = useBoard(id);
  const [host] = useParam('host');
  const counts = head?.runCounts;
  const news = `${head?.status} ${counts?.failed} ${counts?.succeeded} ${counts?.cancelled}`;
  const summary = useSummary(id, news);
  const problem = error ?? board.error;
  return (
    <>
      <Head id={id} head={head} />
      {problem !== null && (
        <p role="alert" class="problem">
          {problem.message}
        </p>
      )}
      {head === null && problem === null && (
        <p class="waiting">
          Nothing was reported of it yet. This page shows it as soon as it begins.
        </p>
      )}
      <Failures id={id} groups={summary?.failureGroups ?? []} />
      <Steps
        names={board.model.steps}
        counts={board.model.stepCounts()}
        times={summary?.stepSummaries ?? []}
      />
      <Board id={id} model={board.model} version={board.version} />
      <section aria-label="Log of all hosts">
        <h2>Log</h2>
        {host === undefined && <LogView filter={{ taskId: id }} opensAt={null} withHost />}
      </section>
      {host !== undefined && (
        <RunDrawer
          key={host}
          id={id}
          host={host}
          news={board.model.row(host) ?? ''}
          failedHosts={board.model.failedHosts()}
        />
      )}
    </>
  );
}

function Head({ id, head }: { id: string; head: DeploymentHeadFragment | null }) {
  const now = useNow();
  if (head === null) return <h1>{id}</h1>;
  const { runCounts: counts } = head;
  const began = Date.parse(head.startedAt ?? head.createdAt);
  const took = head.durationMs ?? (head.finishedAt === null ? now - began : null);
  return (
    <header class="deployment-head">
      <h1>{id}</h1> <Status status={head.status} stale={head.stale} />
      <p>
        {[head.service, head.version].filter((text) => text !== null).join(' ')}
        {head.environment !== null && <> → {head.environment}</>}
        {head.createdBy !== null && <> · by {head.createdBy}</>} · began{' '}
        <time dateTime={head.createdAt}>{moment(head.createdAt, now)}</time>
        {took !== null && <> · {duration(Math.max(0, took))}</>}
      </p>
      <p class="counts">
        <Count name="succeeded" count={counts.succeeded} />
        <Count name="failed" count={counts.failed} />
        <Count name="running" count={counts.running} />
        <Count name="pending" count={counts.pending} />
        {counts.cancelled > 0 && <Count name="cancelled" count={counts.cancelled} />}
        {counts.notRun > 0 && <Count name="not run" count={counts.notRun} />}
        {counts.stale > 0 && <Count name="silent" count={counts.stale} />}
        <span class="of">of {counts.total.toLocaleString('en')} hosts</span>
      </p>
      {head.message !== null && <p>{head.message}</p>}
    </header>
  );
}

function Count({ name, count }: { name: string; count: number }) {
  return (
    <span class={`count count-${name.replace(' ', '-')}`}>
      {name} <b>{count.toLocaleString('en')}</b>
    </span>
  );
}
