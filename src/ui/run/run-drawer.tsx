/** One host of a deployment: its steps in time, what ran, why it failed, and its log. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { addressOf, go, setParams } from '../address/address.ts';
import { type AskError, ask } from '../data/ask.ts';
import { type RunDetailsFragment, RunDetailsDocument } from '../gen/graphql.ts';
import { LogView } from '../log/log-view.tsx';
import { Status } from '../parts/status.tsx';
import { duration } from '../parts/time.ts';
import { failingLine } from './failing-line.ts';
import './run-drawer.css';
import { StepTimes } from './step-times.tsx';

interface RunDrawerProps {
  id: string;
  host: string;
  /** Changes when the host's cells did. */
  news: string;
  /** In the order of the board. */
  failedHosts: readonly string[];
}

const ASK_LEAST_MS = 500;

export function RunDrawer({ id, host, news, failedHosts }: RunDrawerProps) {
  const { run, error } = useRun(id, host, news);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    title.current?.focus();
    return () => opener?.focus?.();
  }, []);
  const at = failedHosts.indexOf(host);
  const neighbour = (by: number) => {
    const next = at < 0 ? failedHosts[0] : failedHosts[at + by];
    return next === undefined ? null : addressOf(['tasks', id], { host: next });
  };
  const close = (): void => setParams({ host: null, line: null, q: null });
  return (
    <aside
      class="drawer"
      aria-label={host}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <header>
        <h2 ref={title} tabIndex={-1}>
          {host}
        </h2>
        {run !== null && <Status status={run.status} stale={run.stale} />}
        <span class="drawer-moves">
          <MoveLink to={neighbour(-1)} name="Previous failed host" glyph="↑" />
          <MoveLink to={neighbour(1)} name="Next failed host" glyph="↓" />
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
      {run !== null && <RunFacts run={run} />}
      {run !== null && <StepTimes steps={run.steps} />}
      {run !== null && <RunLog id={id} run={run} />}
    </aside>
  );
}

function MoveLink({ to, name, glyph }: { to: string | null; name: string; glyph: string }) {
  return (
    <button type="button" disabled={to === null} aria-label={name} onClick={() => to && go(to)}>
      {glyph}
    </button>
  );
}

function RunFacts({ run }: { run: RunDetailsFragment }) {
  const { completeness, outOfRotationSince, durationMs } = run;
  const missing = completeness.missing
    .map(({ writer, from, to }) => `${writer}: ${from === to ? from : `${from}–${to}`}`)
    .join(', ');
  return (
    <p class="run-facts">
      {durationMs !== null && <>took {duration(durationMs)} · </>}
      {completeness.received.toLocaleString('en')} events
      {completeness.complete === true && ', none missing'}
      {completeness.complete === false && <b class="problem"> · missing {missing}</b>}
      {outOfRotationSince !== null && (
        <b class="out">
          {' '}
          · out of rotation since {new Date(outOfRotationSince).toLocaleTimeString()}
        </b>
      )}
    </p>
  );
}

function failedStep(run: RunDetailsFragment): RunDetailsFragment['steps'][number] | null {
  return run.steps.find(({ status }) => status === 'FAILED' || status === 'TIMED_OUT') ?? null;
}

function RunLog({ id, run }: { id: string; run: RunDetailsFragment }) {
  const host = run.hostName;
  const failed = failedStep(run);
  const key = failed === null ? '' : `${failed.name} ${failed.attempt}`;
  const [place, setPlace] = useState<{ key: string; cursor: string | null } | null>(null);
  useEffect(() => {
    if (failed === null) {
      setPlace({ key, cursor: null });
      return;
    }
    const leaving = new AbortController();
    const reason = failed.error?.message ?? null;
    const { name: step, attempt } = failed;
    failingLine({ taskId: id, host, step, attempt, reason }, leaving.signal).then(
      (cursor) => setPlace({ key, cursor }),
      () => setPlace({ key, cursor: null }),
    );
    return () => leaving.abort();
  }, [id, host, key]);
  if (place === null || place.key !== key) return null;
  const filter = { taskId: id, hosts: [host] };
  return <LogView key={`${host} ${key}`} filter={filter} opensAt={place.cursor} withHost={false} />;
}

function useRun(
  id: string,
  host: string,
  news: string,
): { run: RunDetailsFragment | null; error: AskError | null } {
  const [run, setRun] = useState<RunDetailsFragment | null>(null);
  const [error, setError] = useState<AskError | null>(null);
  const [asked] = useState({ at: 0, host: '' });
  useEffect(() => {
    const leaving = new AbortController();
    const wait = asked.host === host ? Math.max(0, asked.at + ASK_LEAST_MS - Date.now()) : 0;
    if (asked.host !== host) setRun(null);
    const timer = setTimeout(() => {
      Object.assign(asked, { at: Date.now(), host });
      ask(RunDetailsDocument, { id, host }, leaving.signal).then(
        ({ task }) => {
          setRun(task?.run ?? null);
          setError(null);
        },
        (problem: AskError) => {
          if (!leaving.signal.aborted) setError(problem);
        },
      );
    }, wait);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [id, host, news]);
  return { run, error };
}
