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

export const FILTERS = ['all', 'failed', 'running', 'silent', 'out of rotation'] as const;
export type Filter = (typeof FILTERS)[number];

export class BoardModel {
  #steps: string[] = [];
  #rows = new Map<string, string>();

  get steps(): readonly string[] {
    return this.#steps;
  }
  get size(): number {
    return this.#rows.size;
  }

  load({ steps, hosts, cells }: Snapshot): void {
    this.#steps = [...steps];
    const width = steps.length;
    this.#rows = new Map(
      hosts.map((host, row) => [host, cells.slice(row * width, (row + 1) * width)]),
    );
  }

  change(runs: readonly ChangedRun[]): void {
    for (const { hostName, steps } of runs) {
      const cells = new Map<string, Letter>();
      for (const { name, status, stale } of steps) {
        const letter = LETTERS[status] ?? '-';
        cells.set(name, stale ? letter.toLowerCase() : letter);
        if (!this.#steps.includes(name)) this.#addStep(name);
      }
      this.#rows.set(hostName, this.#steps.map((name) => cells.get(name) ?? '-').join(''));
    }
  }

  #addStep(name: string): void {
    this.#steps.push(name);
    for (const [host, row] of this.#rows) this.#rows.set(host, `${row}-`);
  }

  row(host: string): string | null {
    return this.#rows.get(host) ?? null;
  }

  /** Hosts that look the same together: those that failed first, then what is silent, then running. */
  groups(filter: Filter): HostGroup[] {
    const byPattern = new Map<string, string[]>();
    for (const [host, pattern] of this.#rows) {
      if (!this.#matches(pattern, filter)) continue;
      const hosts = byPattern.get(pattern);
      if (hosts === undefined) byPattern.set(pattern, [host]);
      else hosts.push(host);
    }
    return [...byPattern]
      .map(([pattern, hosts]) => ({ pattern, hosts: hosts.sort(byName) }))
      .sort((a, b) => urgency(a.pattern) - urgency(b.pattern) || byName(a.pattern, b.pattern));
  }

  count(filter: Filter): number {
    if (filter === 'all') return this.#rows.size;
    let count = 0;
    for (const pattern of this.#rows.values()) if (this.#matches(pattern, filter)) count++;
    return count;
  }

  /** For each step, in order. */
  stepCounts(): StepCounts[] {
    const counts = this.#steps.map((): Record<string, number> => ({}));
    for (const pattern of this.#rows.values()) {
      for (let step = 0; step < pattern.length; step++) {
        const status = statusOf(pattern[step] as string);
        const of = counts[step];
        if (status !== null && of !== undefined) of[status] = (of[status] ?? 0) + 1;
      }
    }
    return counts;
  }

  /** Hosts that failed, as the board has them. */
  failedHosts(): string[] {
    return this.groups('failed').flatMap(({ hosts }) => hosts);
  }

  #matches(pattern: string, filter: Filter): boolean {
    switch (filter) {
      case 'all':
        return true;
      case 'failed':
        return /[FT]/i.test(pattern);
      case 'running':
        return /R/i.test(pattern);
      case 'silent':
        return /[a-z]/.test(pattern);
      case 'out of rotation':
        return this.#isOut(pattern);
    }
  }

  /** Taken out of the load balancer, and not yet back. */
  #isOut(pattern: string): boolean {
    const offline = this.#steps.indexOf('nginx-offline');
    const online = this.#steps.indexOf('nginx-online');
    return offline >= 0 && online >= 0 && pattern[offline] === 'S' && pattern[online] !== 'S';
  }
}

function urgency(pattern: string): number {
  if (/[FT]/i.test(pattern)) return 0;
  if (/[a-z]/.test(pattern)) return 1;
  if (/R/.test(pattern)) return 2;
  return /^[SK]*$/.test(pattern) ? 4 : 3;
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
