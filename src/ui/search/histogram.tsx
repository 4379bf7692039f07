/** When what is searched for occurred, by severity; a stretch of it is the next range. */
import { setList } from '../address/address.ts';
import { PlotBox } from '../chart/plot-box.tsx';
import { useAnswer } from '../data/use-answer.ts';
import { counted, numberOf } from '../parts/count.ts';
import { localText } from '../explore/range.ts';
import { duration, moment } from '../parts/time.ts';
import { type EventFilter, EventsOverTimeDocument, type LogLevel } from '../gen/graphql.ts';

const BUCKETS = 80;
const TYPING_MS = 250;

interface Bar {
  /** Epoch milliseconds. */
  at: number;
  total: number;
  /** Also among `total`. */
  warnings: number;
  errors: number;
}

const ERRORS = new Set<LogLevel>(['ERROR', 'FATAL']);

function zoom(fromMs: number, toMs: number): void {
  setList({
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    last: null,
  });
}

export function Histogram({ filter }: { filter: EventFilter }) {
  const { data } = useAnswer(EventsOverTimeDocument, { filter, buckets: BUCKETS }, TYPING_MS);
  if (data === null) return <div class="histogram" />;
  const { intervalMs, buckets, total } = data.eventHistogram;
  if (total === 0) return null;
  const bars: Bar[] = buckets.map(({ at, total, byLevel }) => ({
    at: Date.parse(at),
    total,
    warnings: byLevel.find(({ level }) => level === 'WARN')?.count ?? 0,
    errors: byLevel
      .filter(({ level }) => ERRORS.has(level))
      .reduce((sum, { count }) => sum + count, 0),
  }));
  // Each is drawn over the one before: what is seen of it is the rest.
  const series = [
    { name: 'other', color: '--bar', values: bars.map(({ total }) => total) },
    { name: 'warnings', color: '--warn', values: bars.map((bar) => bar.warnings + bar.errors) },
    { name: 'errors', color: '--failed', values: bars.map(({ errors }) => errors) },
  ];
  return (
    <section class="histogram" aria-label="Lines over time">
      <PlotBox
        height={96}
        times={bars.map(({ at }) => at)}
        widthMs={intervalMs}
        series={series.map((one) => ({ ...one, kind: 'bars' }))}
        onBrush={(from, to) => zoom(...wholeBars(bars, intervalMs, from, to))}
        describe={(index) => describe(bars[index], intervalMs)}
      />
      <details>
        <summary>
          As a table <span class="hint for-mouse">· drag over the chart to look closer</span>
        </summary>
        <BarTable bars={bars.filter(({ total }) => total > 0)} intervalMs={intervalMs} />
      </details>
    </section>
  );
}

/** Of every bar that a stretch touches: part of a bar says nothing about what is in it. */
function wholeBars(
  bars: readonly Bar[],
  intervalMs: number,
  fromMs: number,
  toMs: number,
): [fromMs: number, toMs: number] {
  const touched = bars.filter(({ at }) => at + intervalMs > fromMs && at < toMs);
  return [touched[0]?.at ?? fromMs, (touched.at(-1)?.at ?? toMs - intervalMs) + intervalMs];
}

function describe(bar: Bar | undefined, intervalMs: number): string {
  if (bar === undefined) return '';
  const { at, total, warnings, errors } = bar;
  const times = `${duration(intervalMs)} from ${moment(at, Date.now())}`;
  return `${times}: ${counted(total, 'line')}, ${counted(warnings, 'warning')}, ${counted(errors, 'error')}`;
}

function BarTable({ bars, intervalMs }: { bars: readonly Bar[]; intervalMs: number }) {
  return (
    <table class="list bars" aria-label="Lines over time">
      <thead>
        <tr>
          <th scope="col">From</th>
          <th scope="col">Lines</th>
          <th scope="col">Warnings</th>
          <th scope="col">Errors</th>
        </tr>
      </thead>
      <tbody>
        {bars.map(({ at, total, warnings, errors }) => (
          <tr key={at}>
            <td>
              <button type="button" onClick={() => zoom(at, at + intervalMs)}>
                {localText(new Date(at).toISOString()).replace('T', ' ')}
              </button>
            </td>
            <td>{numberOf(total)}</td>
            <td>{numberOf(warnings)}</td>
            <td>{numberOf(errors)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
