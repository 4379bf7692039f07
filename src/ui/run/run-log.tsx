/** The log of a run: at the line with the cause where it failed, else at its end. */
import { useEffect, useState } from 'preact/hooks';
import type { LogLineFragment, RunDetailsFragment } from '../gen/graphql.ts';
import { LogView } from '../log/log-view.tsx';
import { failingLine } from './failing-line.ts';

type Step = RunDetailsFragment['steps'][number];

export function RunLog({ id, run }: { id: string; run: RunDetailsFragment }) {
  const host = run.hostName;
  const [place, setPlace] = useState<{ cursor: string | null } | null>(null);
  // Once, as the run is when it is opened: what fails while somebody looks does not move the log away.
  useEffect(() => {
    const failed = failedStep(run);
    if (failed === null) {
      setPlace({ cursor: null });
      return;
    }
    const leaving = new AbortController();
    const reason = failed.error?.message ?? null;
    const { name: step, attempt } = failed;
    failingLine({ taskId: id, host, step, attempt, reason }, leaving.signal).then(
      (cursor) => setPlace({ cursor }),
      () => {
        if (!leaving.signal.aborted) setPlace({ cursor: null });
      },
    );
    return () => leaving.abort();
  }, [id, host]);
  if (place === null) return null;
  const begins = new Map(run.steps.flatMap(beginnings));
  return (
    <LogView
      filter={{ taskId: id, hosts: [host] }}
      opensAt={place.cursor}
      withHost={false}
      steps={run.steps.map(({ name }) => name)}
      stepBegan={({ step, attempt }: LogLineFragment) => begins.get(`${attempt} ${step}`) ?? null}
    />
  );
}

function failedStep(run: RunDetailsFragment): Step | null {
  return run.steps.find(({ status }) => status === 'FAILED' || status === 'TIMED_OUT') ?? null;
}

/** Of each attempt of a step. */
function beginnings({ name, attempts }: Step): [string, number][] {
  return attempts.flatMap(({ attempt, startedAt }) =>
    startedAt === null ? [] : [[`${attempt} ${name}`, Date.parse(startedAt)]],
  );
}
