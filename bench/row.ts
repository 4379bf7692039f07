/** What a measurement says: ours beside a peer's, from one run on one machine. */
export interface Row {
  what: string;
  ours: number | string;
  peer?: number | string;
  /** ours ÷ peer, where more is better; for times peer ÷ ours. */
  ratio?: number;
  aim?: Aim;
  note?: string;
  /** A promise was broken, not just an aim missed: the run ends with exit code 1. */
  broken?: boolean;
}

export interface Aim {
  text: string;
  met: boolean;
}

export function atMost(value: number, limit: number, unit = ''): Aim {
  return { text: `≤ ${limit.toLocaleString('en')}${unit}`, met: value <= limit };
}

export function atLeast(value: number, limit: number, unit = ''): Aim {
  return { text: `≥ ${limit.toLocaleString('en')}${unit}`, met: value >= limit };
}

export interface Measurement {
  name: string;
  /** What it measures, for `--help`. */
  about: string;
  run(options: BenchOptions): Promise<Row[]>;
}

export interface BenchOptions {
  /** Also what takes long: ten million events, ten thousand subscribers. */
  huge: boolean;
  /** The folder of another checkout to compare with. */
  against: string | null;
  /** The folder of the checkout that is compared; null: this one. */
  checkout: string | null;
  /** For the server under measurement, for example `--cpu-prof`. */
  nodeFlags: readonly string[];
  say: (progress: string) => void;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** The median of the ratios of rounds that ran side by side: a busy minute meets both. */
export function pairedRatio(ours: readonly number[], peer: readonly number[]): number {
  return median(ours.map((value, round) => value / (peer[round] ?? Number.NaN)));
}

export function show(value: number | string | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en');
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

export function printTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.what,
    show(row.ours),
    show(row.peer),
    row.ratio === undefined ? '' : `${row.ratio.toFixed(2)}×`,
    row.broken ? 'BROKEN' : row.aim ? `${row.aim.text} ${row.aim.met ? '✓' : '✗'}` : '',
    row.note ?? '',
  ]);
  const head = ['what', 'ours', 'peer', 'ratio', 'aim', 'note'];
  const widths = head.map((name, column) =>
    Math.max(name.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const lines = [head, widths.map((width) => '-'.repeat(width)), ...cells];
  return lines
    .map((line) => `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`)
    .join('\n');
}
