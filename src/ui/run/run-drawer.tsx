/** One host of a deployment: its steps in time, what ran, why it failed, and its log. */
import { useEffect, useRef } from 'preact/hooks';
import { go, setParams } from '../address/address.ts';
import { hostAddress } from '../board/board-filter.ts';
import { useViewQuery } from '../data/view-query.ts';
import { useKeys } from '../frame/keyboard.tsx';
import { RunDetailsDocument } from '../gen/graphql.ts';
import { Skeleton } from '../parts/skeleton.tsx';
import { Status } from '../parts/status.tsx';
import { nextFailed } from './next-failed.ts';
import './run-drawer.css';
import { RunFacts } from './run-facts.tsx';
import { RunLog } from './run-log.tsx';
import { StepTimes } from './step-times.tsx';
import { useRun } from './use-run.ts';

interface RunDrawerProps {
  id: string;
  host: string;
  /** Changes when the host's cells did. */
  news: string;
  /** In the order of the board. */
  failedHosts: readonly string[];
}

export function RunDrawer({ id, host, news, failedHosts }: RunDrawerProps) {
  const { run, error, known } = useRun(id, host, news);
  const drawer = useRef<HTMLElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  // Where somebody goes from host to host by the buttons, they stay under their hand.
  useEffect(() => {
    if (drawer.current?.contains(document.activeElement) !== true) title.current?.focus();
  }, [host]);
  useViewQuery(RunDetailsDocument, { id, host }, true);
  const at = failedHosts.indexOf(host);
  const neighbour = (by: 1 | -1): string | null => {
    const next = nextFailed(failedHosts, host, by);
    return next === undefined ? null : hostAddress(id, next);
  };
  const close = (): void =>
    setParams({ host: null, line: null, q: null, step: null, level: null, attempt: null });
  useKeys({ Escape: close });
  return (
    <aside class="drawer" aria-label={host} ref={drawer}>
      <header>
        <h2 ref={title} tabIndex={-1}>
          {host}
        </h2>
        {run !== null && <Status status={run.status} stale={run.stale} />}
        <span class="drawer-moves">
          {at >= 0 && (
            <span class="of-failed">
              failed host {(at + 1).toLocaleString('en')} of{' '}
              {failedHosts.length.toLocaleString('en')}
            </span>
          )}
          <MoveButton to={neighbour(-1)} name="Previous failed host" glyph="↑" />
          <MoveButton to={neighbour(1)} name="Next failed host" glyph="↓" />
          <button type="button" onClick={close} aria-label="Close">
            ✕
          </button>
        </span>
      </header>
      {error !== null && (
        <p role="alert" class="problem">
          {error.message}
        </p>
      )}
      {!known && error === null && <Skeleton />}
      {known && run === null && error === null && (
        <p class="none">This host is not part of the deployment, and nothing was reported of it.</p>
      )}
      {run !== null && (
        <>
          <RunFacts run={run} />
          <StepTimes steps={run.steps} />
          <RunLog key={host} id={id} run={run} />
        </>
      )}
    </aside>
  );
}

function MoveButton({ to, name, glyph }: { to: string | null; name: string; glyph: string }) {
  return (
    <button
      type="button"
      disabled={to === null}
      aria-label={name}
      title={name}
      onClick={() => to !== null && go(to)}
    >
      {glyph}
    </button>
  );
}
