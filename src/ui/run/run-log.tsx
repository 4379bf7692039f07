/** The log of a run: at the line with the cause where it failed, else at its end. */
import type { LogLineFragment, RunDetailsFragment } from '../gen/graphql.ts';
import { LogView } from '../log/log-view.tsx';
import { useOpening } from '../log/use-opening.ts';
import { failingLine } from './failing-line.ts';

type Step = RunDetailsFragment['steps'][number];

export function RunLog({ id, run }: { id: string; run: RunDetailsFragment }) {
  const host = run.hostName;
  const opening = useOpening(`${id} ${host}`, async (signal) => {
    const failed = failedStep(run);
    if (failed === null) return null;
    const { name: step, attempt, error } = failed;
    const reason = error?.message ?? null;
    return failingLine({ taskId: id, host, step, attempt, reason }, signal);
  });
  if (opening === null) return null;
  const begins = new Map(run.steps.flatMap(beginnings));
  return (
    <LogView
      filter={{ taskId: id, hosts: [host] }}
      opensAt={opening.cursor}
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
