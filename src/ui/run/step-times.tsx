/** The steps of a run on one scale of time, with what ran and what came of it. */
import { setParams } from '../address/address.ts';
import type { RunDetailsFragment } from '../gen/graphql.ts';
import { plainText } from '../log/text.ts';
import { useNow } from '../parts/clock.ts';
import { Status } from '../parts/status.tsx';
import { duration } from '../parts/time.ts';

type Step = RunDetailsFragment['steps'][number];

const NOT_BEGUN = new Set(['PENDING', 'NOT_RUN']);

export function StepTimes({ steps }: { steps: readonly Step[] }) {
  const now = useNow();
  const begun = steps.filter(({ status }) => !NOT_BEGUN.has(status));
  const rest = steps.filter(({ status }) => NOT_BEGUN.has(status));
  const spans = begun.flatMap(spansOf);
  const first = Math.min(...spans.map(began));
  const last = Math.max(...spans.map((span) => ended(span, now)));
  return (
    <table class="step-times" aria-label="Steps of this host">
      <tbody>
        {begun.map((step) => (
          <tr key={step.name}>
            <th scope="row" title={step.name}>
              {step.name}
            </th>
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

/** An attempt, the last of which is the step itself. */
type Span = Pick<Step, 'startedAt' | 'finishedAt' | 'status' | 'durationMs'>;

/** Those of which it is known when they began. */
function spansOf(step: Step): Span[] {
  const earlier = step.attempts.filter(({ attempt }) => attempt < step.attempt);
  return [...earlier, step].filter(({ startedAt }) => startedAt !== null);
}

function began({ startedAt }: Span): number {
  return Date.parse(startedAt as string);
}

/** What goes on reaches until now. */
function ended(span: Span, now: number): number {
  const { finishedAt, status, durationMs } = span;
  if (finishedAt !== null) return Date.parse(finishedAt);
  const start = began(span);
  return status === 'RUNNING' ? Math.max(start, now) : start + (durationMs ?? 0);
}

interface LaneProps {
  step: Step;
  first: number;
  span: number;
  now: number;
}

function Lane({ step, first, span, now }: LaneProps) {
  const spans = spansOf(step);
  if (spans.length === 0) return null;
  const share = (ms: number): string => `${Math.min(100, Math.max(0, (100 * ms) / span))}%`;
  return (
    <svg width="100%" height={8} aria-hidden="true" class="lane-bar">
      <rect class="bar-rest" width="100%" height={8} />
      {spans.map((one, at) => (
        <rect
          key={at}
          class={`bar-${one.status.toLowerCase().replaceAll('_', '-')}`}
          x={share(began(one) - first)}
          width={share(Math.max(span / 200, ended(one, now) - began(one)))}
          height={8}
        />
      ))}
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
          {error !== null && <div class="problem">{plainText(error.message)}</div>}
        </div>
      )}
      {(command !== null || named || earlier.length > 0) && (
        <details class="step-details" open={wrong || earlier.length > 0}>
          <summary>
            {command === null ? 'what ran' : <code>{`$ ${shortened(plainText(command))}`}</code>}
          </summary>
          {command !== null && command !== shortened(command) && <pre>{plainText(command)}</pre>}
          {named && (
            <dl class="step-params">
              {Object.entries(params as Record<string, unknown>).map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>{' '}
                  <dd>{plainText(typeof value === 'string' ? value : JSON.stringify(value))}</dd>
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
              {plainText(one.error?.message ?? '')}
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
