/** One deployment: how it goes, which hosts failed and why, where each step stands. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { go, useParam } from '../address/address.ts';
import { Board } from '../board/board.tsx';
import { hostAddress, hostsOut } from '../board/board-filter.ts';
import { useBoard } from '../board/use-board.ts';
import { useViewQuery } from '../data/view-query.ts';
import { useKeys } from '../frame/keyboard.tsx';
import { DeploymentSummaryDocument } from '../gen/graphql.ts';
import { Skeleton } from '../parts/skeleton.tsx';
import { useTitle } from '../parts/title.ts';
import { nextFailed } from '../run/next-failed.ts';
import { RunDrawer } from '../run/run-drawer.tsx';
import './deployment.css';
import { DeploymentLog } from './deployment-log.tsx';
import { Failures } from './failures.tsx';
import { Head } from './head.tsx';
import { Steps } from './steps.tsx';
import { useHead, useSummary } from './use-deployment.ts';

export function Deployment({ id }: { id: string }) {
  const { head, error } = useHead(id);
  const board = useBoard(id);
  const [host] = useParam('host');
  const counts = head?.runCounts;
  const { model } = board;
  // Since when hosts are out of rotation is counted with the rest, and comes and goes without it.
  const out = useMemo(() => hostsOut(model), [model, board.version]);
  const news = `${head?.status} ${counts?.failed} ${counts?.succeeded} ${counts?.cancelled} ${out}`;
  const { summary, error: summaryError } = useSummary(id, news);
  useTitle(head === null ? id : `${id} ${head.status}`);
  useViewQuery(DeploymentSummaryDocument, { id });

  const failedHosts = model.failedHosts();
  const toFailure = (by: 1 | -1): void => {
    const next = nextFailed(failedHosts, host, by);
    if (next !== undefined) go(hostAddress(id, next));
  };
  useKeys({ n: () => toFailure(1), p: () => toFailure(-1) });
  useOpener(host !== undefined);

  const groups = summary === undefined ? null : (summary?.failureGroups ?? []);
  const problem = error ?? board.error ?? summaryError;
  // Of one that goes on the end is looked for.
  const goesOn = summary === undefined ? problem !== null : (summary?.finishedAt ?? null) === null;
  const outSince = summary?.runs.nodes.map(({ outOfRotationSince }) => outOfRotationSince) ?? [];
  return (
    <>
      <Head id={id} head={head} />
      {problem !== null && (
        <p role="alert" class="problem">
          {problem.message}
        </p>
      )}
      {head === null && problem === null && summary !== null && <Skeleton />}
      {head === null && problem === null && summary === null && (
        <p class="waiting">
          Nothing was reported of it yet. This page shows it as soon as it begins.
        </p>
      )}
      <Failures id={id} groups={groups} waiting={groups === null && problem === null} />
      <Steps names={model.steps} counts={model.stepCounts()} times={summary?.stepSummaries ?? []} />
      <Board
        id={id}
        model={model}
        version={board.version}
        outSince={outSince.reduce(
          (first, at) => (first === null || (at !== null && at < first) ? at : first),
          null,
        )}
      />
      <section aria-label="Log">
        <h2>Log</h2>
        {host === undefined ? (
          <DeploymentLog id={id} groups={goesOn ? [] : groups} steps={model.steps} />
        ) : (
          <p class="none">That of {host} is open. Close it to see the log of all hosts.</p>
        )}
      </section>
      {host !== undefined && (
        <RunDrawer id={id} host={host} news={model.row(host) ?? ''} failedHosts={failedHosts} />
      )}
    </>
  );
}

/** The focus goes back to what opened the drawer, however many hosts it showed in between. */
function useOpener(open: boolean): void {
  const opener = useRef<Element | null>(null);
  if (open && opener.current === null) opener.current = document.activeElement;
  useEffect(() => {
    if (open || opener.current === null) return;
    const before = opener.current;
    opener.current = null;
    const there = before instanceof HTMLElement && before.isConnected && before !== document.body;
    (there ? before : document.getElementById('main'))?.focus();
  }, [open]);
}
