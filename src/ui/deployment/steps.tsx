/** Where each step stands over all hosts, and how long it takes. */
import { showCell } from '../board/board-filter.ts';
import type { StepCounts } from '../board/board-model.ts';
import { statusWord } from '../parts/status.tsx';
import { duration } from '../parts/time.ts';

interface StepTimes {
  step: string;
  p50Ms: number | null;
  p95Ms: number | null;
}

interface StepsProps {
  names: readonly string[];
  /** In the order of `names`. */
  counts: readonly StepCounts[];
  times: readonly StepTimes[];
}

const WIDTH = 240;
const ORDER = [
  'SUCCEEDED',
  'SKIPPED',
  'FAILED',
  'TIMED_OUT',
  'RUNNING',
  'CANCELLED',
  'NOT_RUN',
  'PENDING',
];

export function Steps({ names, counts, times }: StepsProps) {
  const byStep = new Map(times.map((one) => [one.step, one]));
  return (
    <section aria-label="Steps">
      <h2>Steps</h2>
      <table class="steps">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Hosts</th>
            <th scope="col" class="number">
              p50
            </th>
            <th scope="col" class="number">
              p95
            </th>
          </tr>
        </thead>
        <tbody>
          {names.map((name, at) => (
            <tr key={name}>
              <th scope="row" title={name}>
                {name}
              </th>
              <td>
                <StepBar step={name} counts={counts[at] ?? {}} />
              </td>
              <td class="number">{time(byStep.get(name)?.p50Ms)}</td>
              <td class="number">{time(byStep.get(name)?.p95Ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function time(ms: number | null | undefined): string {
  return ms == null ? '' : duration(ms);
}

/** A click on a part shows its hosts on the board. */
function StepBar({ step, counts }: { step: string; counts: StepCounts }) {
  const present = ORDER.filter((status) => (counts[status] ?? 0) > 0);
  const total = present.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  let x = 0;
  return (
    <span class="step-bar">
      <svg width={WIDTH} height={10} viewBox={`0 0 ${WIDTH} 10`} aria-hidden="true">
        {present.map((status) => {
          // One failed host of thousands is still seen.
          const width = Math.max(2, (WIDTH * (counts[status] ?? 0)) / total);
          const at = Math.min(x, WIDTH - width);
          x += width;
          const name = status.toLowerCase().replaceAll('_', '-');
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: the words beside it are buttons
            <rect
              key={status}
              class={`bar-${name}`}
              x={at}
              width={width}
              height={10}
              onClick={() => showCell(step, status)}
            />
          );
        })}
      </svg>
      {present.map((status) => (
        <button
          type="button"
          key={status}
          class="step-words"
          title="Show these hosts on the board"
          onClick={() => showCell(step, status)}
        >
          {(counts[status] ?? 0).toLocaleString('en')} {statusWord(status).toLowerCase()}
        </button>
      ))}
    </span>
  );
}
