/** The steps of a run on one scale of time, with what ran and what came of it. */
import { setParams } from '../address/address.ts';
import type { RunDetailsFragment } from '../gen/graphql.ts';
import { useNow } from '../parts/clock.ts';
import { Status } from '../parts/status.tsx';
import { duration } from '../parts/time.ts';

type Step = RunDetailsFragment['steps'][number];

const NOT_BEGUN = new Set(['PENDING', 'NOT_RUN']);

export function StepTimes({ steps }: { steps: readonly Step[] }) {
  const now = useNow();
  const begun = steps.filter(({ status }) => !NOT_BEGUN.has(status));
  const rest = steps.filter(({ status }) => NOT_BEGUN.has(status));
  const starts = begun.flatMap((step) => (step.startedAt === null ? [] : [began(step)]));
  const first = Math.min(...starts);
  const last = Math.max(...begun.map((step) => ended(step, now)));
  return (
    <table class="step-times" aria-label="Steps of this host">
      <tbody>
        {begun.map((step) => (
          <tr key={step.name}>
            <th scope="row">{step.name}</th>
            <td>
              <Status status={step.status} stale={step.stale} />
            </td>
            <td class="number">{step.durationMs === null ? '' : duration(step.durationMs)}</td>
            <td class="lane">
              <Lane step={step} first={first} span={Math.max(1, last - first)} now={now} />
              <StepDetails step={step} />
            </td>
          </tr>
        ))}
        {rest.length > 0 && (
          <tr>
            <td colSpan={4} class="not-begun">
              <Status status={(rest[0] as Step).status} /> {rest.map(({ name }) => name).join(', ')}
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function began({ startedAt }: Step): number {
  return Date.parse(startedAt as string);
}

/** A step that goes on reaches until now. */
function ended({ startedAt, finishedAt, status, durationMs }: Step, now: number): number {
  if (finishedAt !== null) return Date.parse(finishedAt);
  if (startedAt === null) return Number.NEGATIVE_INFINITY;
  const start = Date.parse(startedAt);
  return status === 'RUNNING' ? Math.max(start, now) : start + (durationMs ?? 0);
}

interface LaneProps {
  step: Step;
  first: number;
  span: number;
  now: number;
}

function Lane({ step, first, span, now }: LaneProps) {
  if (step.startedAt === null) return null;
  const from = began(step);
  const share = (ms: number): string => `${Math.min(100, Math.max(0, (100 * ms) / span))}%`;
  const name = step.status.toLowerCase().replaceAll('_', '-');
  return (
    <svg width="100%" height={8} aria-hidden="true" class="lane-bar">
      <rect class="bar-rest" width="100%" height={8} />
      <rect
        class={`bar-${name}`}
        x={share(from - first)}
        width={share(Math.max(span / 200, ended(step, now) - from))}
        height={8}
      />
    </svg>
  );
}

function StepDetails({ step }: { step: Step }) {
  const { command, exitCode, error, attempts, params } = step;
  const earlier = attempts.filter(({ attempt }) => attempt < step.attempt);
  const wrong = error !== null || (exitCode !== null && exitCode !== 0);
  const named = params !== null && Object.keys(params).length > 0;
  return (
    <>
      {wrong && (
        <div class="step-details">
          {exitCode !== null && exitCode !== 0 && <div>exit code {exitCode}</div>}
          {error !== null && <div class="problem">{error.message}</div>}
        </div>
      )}
      {(command !== null || named || earlier.length > 0) && (
        <details class="step-details" open={wrong || earlier.length > 0}>
          <summary>
            {command === null ? 'what ran' : <code>{`$ ${shortened(command)}`}</code>}
          </summary>
          {command !== null && command !== shortened(command) && <pre>{command}</pre>}
          {named && (
            <dl class="step-params">
              {Object.entries(params as Record<string, unknown>).map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>{' '}
                  <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
                </div>
              ))}
            </dl>
          )}
          {earlier.map((one) => (
            <div key={one.attempt}>
              <button
                type="button"
                class="as-link"
                onClick={() =>
                  setParams({ step: step.name, attempt: String(one.attempt), line: null })
                }
              >
                attempt {one.attempt}
              </button>{' '}
              <Status status={one.status} /> {one.durationMs !== null && duration(one.durationMs)}{' '}
              {one.error?.message}
            </div>
          ))}
          {earlier.length > 0 && <div>attempt {step.attempt} is the one above</div>}
        </details>
      )}
    </>
  );
}

const COMMAND_SHOWN = 160;

function shortened(command: string): string {
  const [line = ''] = command.split('\n');
  if (line === command && line.length <= COMMAND_SHOWN) return command;
  return `${line.slice(0, COMMAND_SHOWN)} …`;
}
