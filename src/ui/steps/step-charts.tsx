/** A small chart for each step: its durations and its failures, day by day, on the same days. */
import { PlotBox } from '../chart/plot-box.tsx';
import { shareOf, timeOf } from '../explore/figures.ts';
import { numberOf } from '../parts/count.ts';
import type { StepFiguresFragment } from '../gen/graphql.ts';
import { DayTable } from './day-table.tsx';

/** The table beneath has them all. */
const CHARTS_MAX = 24;
const DAY = 86_400_000;

interface StepChartsProps {
  steps: readonly StepFiguresFragment[];
  days: readonly StepFiguresFragment[];
}

export function StepCharts({ steps, days }: StepChartsProps) {
  const all = days.map(({ day }) => Date.parse(day ?? ''));
  const first = Math.min(...all);
  const times = Array.from(
    { length: Math.round((Math.max(...all) - first) / DAY) + 1 },
    (_, at) => first + at * DAY,
  );
  return (
    <section aria-label="Over time">
      <p class="hint">
        <span class="key-p95">━ p95</span> <span class="key-p50">━ p50</span>{' '}
        <span class="key-failed">▮ share that failed</span> · by UTC day
      </p>
      <ul class="step-charts">
        {steps.slice(0, CHARTS_MAX).map((step) => (
          <StepChart
            key={step.key}
            step={step}
            times={times}
            days={days.filter((day) => day.step === step.step)}
          />
        ))}
      </ul>
      <details>
        <summary>As a table</summary>
        <DayTable days={days} />
      </details>
    </section>
  );
}

interface StepChartProps {
  step: StepFiguresFragment;
  times: readonly number[];
  days: readonly StepFiguresFragment[];
}

function StepChart({ step, times, days }: StepChartProps) {
  const byTime = new Map(days.map((day) => [Date.parse(day.day ?? ''), day]));
  const values = (pick: (day: StepFiguresFragment) => number | null) =>
    times.map((at) => {
      const day = byTime.get(at);
      return day === undefined ? null : pick(day);
    });
  return (
    <li>
      <h3>{step.step}</h3>
      <p class="hint">
        p50 {timeOf(step.p50Ms)} · p95 {timeOf(step.p95Ms)} ·{' '}
        <span class={step.failed > 0 ? 'some-failed' : undefined}>
          {shareOf(step.failed, step.count)} failed
        </span>
      </p>
      <PlotBox
        height={110}
        times={times}
        widthMs={null}
        unit="ms"
        describe={(index) => describe(byTime.get(times[index] ?? 0))}
        series={[
          { name: 'p95', color: '--skipped', kind: 'line', values: values(({ p95Ms }) => p95Ms) },
          { name: 'p50', color: '--accent', kind: 'line', values: values(({ p50Ms }) => p50Ms) },
        ]}
      />
      <PlotBox
        height={48}
        times={times}
        widthMs={null}
        unit="%"
        small
        series={[
          { name: 'failed', color: '--failed', kind: 'bars', values: values(failedPercent) },
        ]}
      />
    </li>
  );
}

function describe(day: StepFiguresFragment | undefined): string {
  if (day === undefined) return '';
  const { count, failed, p50Ms, p95Ms } = day;
  const durations = `p50 ${timeOf(p50Ms)}, p95 ${timeOf(p95Ms)}`;
  return `${day.day?.slice(0, 10)}: ${durations}, ${shareOf(failed, count)} of ${numberOf(count)} failed`;
}

function failedPercent({ failed, count }: StepFiguresFragment): number {
  return count === 0 ? 0 : (100 * failed) / count;
}
