/** The steps of a run on one scale of time, with what ran and what came of it. */
import type { RunDetailsFragment } from '../gen/graphql.ts';
import { Status } from '../parts/status.tsx';
import { duration } from '../parts/time.ts';

type Step = RunDetailsFragment['steps'][number];

export function StepTimes({ steps }: { steps: readonly Step[] }) {
  const begun = steps.filter(({ startedAt }) => startedAt !== null);
  const first = Math.min(...begun.map(({ startedAt }) => Date.parse(startedAt as string)));
  const ends = begun.map(({ startedAt, finishedAt }) =>
    Date.parse(finishedAt ?? (startedAt as string)),
  );
  const span = Math.max(1, Math.max(...ends) - first);
  return (
    <table class="step-times">
      <tbody>
        {steps.map((step) => (
          <tr key={step.name}>
            <th scope="row">
              {step.name}
              {step.attempt > 1 && <span class="attempt"> attempt {step.attempt}</span>}
            </th>
            <td>
              <Status status={step.status} stale={step.stale} />
            </td>
            <td class="number">{step.durationMs === null ? '' : duration(step.durationMs)}</td>
            <td class="lane">
              <Lane step={step} first={first} span={span} />
              <StepDetails step={step} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Lane({ step, first, span }: { step: Step; first: number; span: number }) {
  if (step.startedAt === null) return null;
  const from = Date.parse(step.startedAt);
  const to = Date.parse(step.finishedAt ?? step.startedAt);
  const name = step.status.toLowerCase().replaceAll('_', '-');
  return (
    <svg width="100%" height={8} aria-hidden="true" class="lane-bar">
      <rect
        class={`bar-${name}`}
        x={`${(100 * (from - first)) / span}%`}
        width={`${Math.max(0.5, (100 * (to - from)) / span)}%`}
        height={8}
      />
    </svg>
  );
}

function StepDetails({ step }: { step: Step }) {
  const { command, exitCode, error, attempts } = step;
  const earlier = attempts.filter(({ attempt }) => attempt < step.attempt);
  const worth = error !== null || (exitCode !== null && exitCode !== 0) || earlier.length > 0;
  if (!worth) return null;
  return (
    <div class="step-details">
      {command !== null && <code>$ {command}</code>}
      {exitCode !== null && exitCode !== 0 && <div>exit code {exitCode}</div>}
      {error !== null && <div class="problem">{error.message}</div>}
      {earlier.map((one) => (
        <div key={one.attempt}>
          attempt {one.attempt}: <Status status={one.status} />{' '}
          {one.durationMs !== null && duration(one.durationMs)} {one.error?.message}
        </div>
      ))}
    </div>
  );
}
