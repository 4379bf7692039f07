/** Draws values over time with uPlot, in the colours of the theme. Fetched on its own. */
import './language.ts';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface PlotSeries {
  name: string;
  /** The name of a token. */
  color: string;
  kind: 'bars' | 'line';
  values: readonly (number | null)[];
}

export interface PlotData {
  /** Epoch milliseconds, ascending. */
  times: readonly number[];
  /** Of one interval that begins at a time; null: the times are UTC days. */
  widthMs: number | null;
  series: readonly PlotSeries[];
  /** Of the values' labels; default: they are numbers. */
  unit?: 'ms' | '%';
  /** Only the highest value is labelled, and no time: another chart above has them. */
  small?: boolean;
}

export interface PlotActions {
  /** With the two ends of a stretch that was dragged over, epoch milliseconds; null: none can be. */
  onBrush: ((fromMs: number, toMs: number) => void) | null;
  /** With the place in the data that is pointed at. */
  onPoint: (index: number | null) => void;
}

export class Plot {
  readonly #box: HTMLElement;
  readonly #height: number;
  readonly #actions: PlotActions;
  readonly #watching = new AbortController();
  readonly #sizes: ResizeObserver;
  readonly #themes: MutationObserver;
  #data: PlotData | null = null;
  #chart: UPlot | null = null;

  constructor(box: HTMLElement, height: number, actions: PlotActions) {
    this.#box = box;
    this.#height = height;
    this.#actions = actions;
    const again = (): void => this.#draw();
    this.#sizes = new ResizeObserver(() => {
      if (this.#chart?.width !== box.clientWidth) again();
    });
    this.#sizes.observe(box);
    this.#themes = new MutationObserver(again);
    this.#themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const { signal } = this.#watching;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again, { signal });
  }

  show(data: PlotData): void {
    this.#data = data;
    this.#draw();
  }

  close(): void {
    this.#watching.abort();
    this.#sizes.disconnect();
    this.#themes.disconnect();
    this.#chart?.destroy();
  }

  #draw(): void {
    this.#chart?.destroy();
    this.#chart = null;
    if (this.#data === null || this.#box.clientWidth === 0) return;
    const { times, series, widthMs } = this.#data;
    const [first = 0, last = 0] = [times[0], times.at(-1)];
    const range: [number, number] =
      widthMs === null ? [first - HALF_DAY, last + HALF_DAY] : [first, last + widthMs];
    const values = series.map((one) => [...one.values]);
    this.#chart = new UPlot(
      this.#options(this.#data, [range[0] / 1_000, range[1] / 1_000]),
      [times.map((ms) => ms / 1_000), ...values],
      this.#box,
    );
  }

  #options(
    { series, unit, widthMs, small = false }: PlotData,
    range: [number, number],
  ): UPlot.Options {
    const soft = this.#color('--text-soft');
    const lines = { stroke: this.#color('--line'), width: 1 };
    const axis = { stroke: soft, font: '11px system-ui', grid: lines, ticks: lines };
    const days = widthMs === null;
    const labelled = (values: number[]): string[] => values.map((value) => labelOf(value, unit));
    return {
      width: this.#box.clientWidth,
      height: this.#height,
      legend: { show: false },
      cursor: { y: false, drag: { x: this.#actions.onBrush !== null, y: false, setScale: false } },
      tzDate: (at) => (days ? UPlot.tzDate(new Date(at * 1_000), 'Etc/UTC') : new Date(at * 1_000)),
      scales: {
        x: { time: true, range: () => range },
        y: { range: (_, _least, most) => [0, (most || 1) * 1.1] },
      },
      axes: [
        {
          ...axis,
          size: small ? 6 : 26,
          values: (_, ticks) => (small ? [] : timeLabels(ticks, days)),
        },
        {
          ...axis,
          size: 52,
          space: 24,
          values: (_, ticks) => labelled(ticks),
          ...(small && {
            splits: (_, _axis, _least, most) => [0, Number((most / 1.1).toFixed(1))],
          }),
        },
      ],
      series: [
        {},
        ...series.map((one): UPlot.Series => {
          const color = this.#color(one.color);
          if (one.kind === 'line') {
            return { label: one.name, stroke: color, width: 2, points: { size: 5, fill: color } };
          }
          const paths = UPlot.paths.bars?.({ size: [0.9, 60], align: days ? 0 : 1 });
          const drawn = paths === undefined ? {} : { paths };
          return { label: one.name, fill: color, width: 0, points: { show: false }, ...drawn };
        }),
      ],
      hooks: {
        setCursor: [({ cursor }) => this.#actions.onPoint(cursor.idx ?? null)],
        setSelect: [
          (chart) => {
            const { left, width } = chart.select;
            if (width < 2) return;
            const at = (x: number): number => Math.round(chart.posToVal(x, 'x') * 1_000);
            chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            this.#actions.onBrush?.(at(left), at(left + width));
          },
        ],
      },
    };
  }

  /** As the theme has it: a canvas knows no variables. */
  #color(token: string): string {
    const probe = document.createElement('i');
    probe.style.color = `var(${token})`;
    this.#box.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }
}

const HALF_DAY = 43_200_000;
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const UTC_DAY = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});

/** Days where they are far apart, else times; a day where it begins. */
function timeLabels(ticks: readonly number[], days: boolean): string[] {
  const apart = ((ticks[1] ?? 0) - (ticks[0] ?? 0)) * 1_000;
  return ticks.map((at) => {
    const date = new Date(at * 1_000);
    if (days) return at % 86_400 === 0 ? UTC_DAY.format(date) : '';
    const midnight = date.getHours() === 0 && date.getMinutes() === 0;
    return (apart >= HALF_DAY || midnight ? DAY : CLOCK).format(date);
  });
}

const COUNT = new Intl.NumberFormat('en', { notation: 'compact' });

function labelOf(value: number, unit: PlotData['unit']): string {
  if (unit === '%') return `${COUNT.format(value)} %`;
  if (unit === undefined) return COUNT.format(value);
  return value < 1_000 && value > 0 ? `${value} ms` : `${COUNT.format(value / 1_000)} s`;
}
