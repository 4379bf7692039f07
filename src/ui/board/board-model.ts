/**
 * The board of a deployment as data: hosts × steps, one letter a cell, kept up to date by what
 * changed. Nothing here knows how it is drawn.
 */

/** P R S F K T C N; small where silent; `-` where a step was never part of the host's run. */
export type Letter = string;

const LETTERS: Readonly<Record<string, Letter>> = {
  PENDING: 'P',
  RUNNING: 'R',
  SUCCEEDED: 'S',
  FAILED: 'F',
  SKIPPED: 'K',
  TIMED_OUT: 'T',
  CANCELLED: 'C',
  NOT_RUN: 'N',
};
const STATUSES = Object.fromEntries(
  Object.entries(LETTERS).map(([name, letter]) => [letter, name]),
);

export function statusOf(letter: Letter): string | null {
  return STATUSES[letter.toUpperCase()] ?? null;
}

export function isSilent(letter: Letter): boolean {
  return letter !== letter.toUpperCase();
}

export interface Snapshot {
  steps: readonly string[];
  hosts: readonly string[];
  cells: string;
}

export interface ChangedRun {
  hostName: string;
  steps: readonly { name: string; status: string; stale: boolean }[];
}

/** Hosts that look the same. */
export interface HostGroup {
  /** One letter for each step. */
  pattern: string;
  /** By name. */
  hosts: readonly string[];
}

/** How many hosts are in which status, of one step. */
export type StepCounts = Readonly<Record<string, number>>;

export class BoardModel {
  #steps: string[] = [];
  #rows = new Map<string, string>();
  /** By name; null: a host came, and they are to be sorted again. */
  #hosts: readonly string[] | null = null;
  /** null: something changed. */
  #groups: readonly HostGroup[] | null = null;

  get steps(): readonly string[] {
    return this.#steps;
  }
  get size(): number {
    return this.#rows.size;
  }

  /** As it is now, whatever becomes of this one. */
  copy(): BoardModel {
    const copy = new BoardModel();
    copy.#steps = [...this.#steps];
    copy.#rows = new Map(this.#rows);
    copy.#hosts = this.#hosts;
    copy.#groups = this.#groups;
    return copy;
  }

  load({ steps, hosts, cells }: Snapshot): void {
    this.#steps = [...steps];
    const width = steps.length;
    this.#rows = new Map(
      hosts.map((host, row) => [host, cells.slice(row * width, (row + 1) * width)]),
    );
    this.#hosts = null;
    this.#groups = null;
  }

  change(runs: readonly ChangedRun[]): void {
    for (const { hostName, steps } of runs) {
      const cells = new Map<string, Letter>();
      for (const { name, status, stale } of steps) {
        const letter = LETTERS[status] ?? '-';
        cells.set(name, stale ? letter.toLowerCase() : letter);
        if (!this.#steps.includes(name)) this.#addStep(name);
      }
      if (!this.#rows.has(hostName)) this.#hosts = null;
      this.#rows.set(hostName, this.#steps.map((name) => cells.get(name) ?? '-').join(''));
    }
    this.#groups = null;
  }

  #addStep(name: string): void {
    this.#steps.push(name);
    for (const [host, row] of this.#rows) this.#rows.set(host, `${row}-`);
  }

  row(host: string): string | null {
    return this.#rows.get(host) ?? null;
  }

  /** Hosts that look the same together: those that failed first, then what is silent, then running. */
  groups(): readonly HostGroup[] {
    if (this.#groups !== null) return this.#groups;
    this.#hosts ??= [...this.#rows.keys()].sort(byName);
    const byPattern = new Map<string, string[]>();
    for (const host of this.#hosts) {
      const pattern = this.#rows.get(host) as string;
      const hosts = byPattern.get(pattern);
      if (hosts === undefined) byPattern.set(pattern, [host]);
      else hosts.push(host);
    }
    this.#groups = [...byPattern]
      .map(([pattern, hosts]) => ({ pattern, hosts, urgency: urgency(pattern) }))
      .sort((a, b) => a.urgency - b.urgency || byName(a.pattern, b.pattern));
    return this.#groups;
  }

  /** For each step, in order. */
  stepCounts(): StepCounts[] {
    const counts = this.#steps.map((): Record<string, number> => ({}));
    for (const { pattern, hosts } of this.groups()) {
      for (let step = 0; step < pattern.length; step++) {
        const status = statusOf(pattern[step] as string);
        const of = counts[step];
        if (status !== null && of !== undefined) of[status] = (of[status] ?? 0) + hosts.length;
      }
    }
    return counts;
  }

  /** Hosts that failed, as the board has them. */
  failedHosts(): string[] {
    return this.groups()
      .filter(({ pattern }) => hasFailed(pattern))
      .flatMap(({ hosts }) => hosts);
  }
}

export function hasFailed(pattern: string): boolean {
  return /[FT]/i.test(pattern);
}

function urgency(pattern: string): number {
  if (hasFailed(pattern)) return 0;
  if (/[a-z]/.test(pattern)) return 1;
  if (/R/.test(pattern)) return 2;
  return /^[SK-]*$/.test(pattern) ? 4 : 3;
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
