/** What a list of deployments has in hand: pages as they were answered, and what was told since. */
import type { DeploymentRowFragment, TaskFilter } from '../gen/graphql.ts';

export const PAGE = 50;
/** So many more may come before the list is cut. */
const SPARE = 50;
/** The most rows that a first page is asked for. */
const FIRST_MAX = 500;
/** Of these the last is remembered that was told; searches are behind by far less. */
const TOLD_MAX = 1_000;

interface Page {
  nodes: readonly DeploymentRowFragment[];
  hasNextPage: boolean;
}

interface Taken {
  /** How many more fit now. */
  added: number;
  /** Some may have been counted, or no longer fit, on a page that is not here. */
  elsewhere: boolean;
}

export class DeploymentRows {
  readonly #filter: TaskFilter;
  readonly #rows = new Map<string, DeploymentRowFragment>();
  /** As they were told last, those that are not here as well: they are newer than a page. */
  readonly #told = new Map<string, DeploymentRowFragment>();
  #end = Number.NEGATIVE_INFINITY;
  /** How many were here when somebody last asked for a page. */
  #wanted = PAGE;

  constructor(filter: TaskFilter) {
    this.#filter = filter;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** When the last one that is here was created: older ones are on pages that are not. */
  get end(): number {
    return this.#end;
  }

  /** How many somebody asked for, as far as one page has them. */
  get wanted(): number {
    return Math.min(this.#wanted, FIRST_MAX);
  }

  newestFirst(): DeploymentRowFragment[] {
    // Of one moment they stay as the server put them: a page goes on behind the one before.
    return [...this.#rows.values()].sort((a, b) => createdAt(b) - createdAt(a));
  }

  /** The first page is the whole truth: what is on none of it, and was not told since, is gone. */
  begin(page: Page): void {
    this.#rows.clear();
    this.#wanted = PAGE;
    this.append(page);
    for (const row of this.#told.values()) {
      if (matches(row, this.#filter) && createdAt(row) >= this.#end) this.#rows.set(row.id, row);
    }
  }

  append({ nodes, hasNextPage }: Page): void {
    for (const row of nodes) {
      const newest = this.#told.get(row.id) ?? row;
      if (matches(newest, this.#filter)) this.#rows.set(row.id, newest);
    }
    const last = nodes.at(-1);
    this.#end = hasNextPage && last ? createdAt(last) : Number.NEGATIVE_INFINITY;
    this.#wanted = Math.max(this.#wanted, this.#rows.size);
  }

  take(changed: readonly DeploymentRowFragment[]): Taken {
    let added = 0;
    let elsewhere = false;
    for (const row of changed) {
      this.#remember(row);
      const fits = matches(row, this.#filter);
      if (this.#rows.has(row.id)) {
        if (fits) this.#rows.set(row.id, row);
        else if (this.#rows.delete(row.id)) added--;
        continue;
      }
      const beyond = createdAt(row) - this.#end;
      if (fits && beyond >= 0) this.#rows.set(row.id, row);
      if (fits && beyond > 0) added++;
      elsewhere ||= beyond <= 0;
    }
    return { added, elsewhere };
  }

  /** Takes the oldest away where more came than somebody asked for; whether it did. */
  cut(): boolean {
    if (this.#rows.size <= this.#wanted + SPARE) return false;
    this.#wanted = Math.min(this.#wanted, FIRST_MAX - PAGE);
    const newest = this.newestFirst();
    for (const { id } of newest.slice(this.#wanted)) this.#rows.delete(id);
    const last = newest[this.#wanted - 1];
    if (last !== undefined) this.#end = createdAt(last);
    return true;
  }

  /** Another history begins: what was told belongs to the old one. */
  forgetTold(): void {
    this.#told.clear();
  }

  #remember(row: DeploymentRowFragment): void {
    this.#told.delete(row.id);
    this.#told.set(row.id, row);
    if (this.#told.size <= TOLD_MAX) return;
    for (const eldest of this.#told.keys()) {
      this.#told.delete(eldest);
      break;
    }
  }
}

/** `shown` and, below it, those of `newest` that are older: they push nothing away. */
export function withOlder(
  shown: readonly DeploymentRowFragment[],
  newest: readonly DeploymentRowFragment[],
): readonly DeploymentRowFragment[] {
  const last = shown.at(-1);
  if (last === undefined) return newest;
  const ids = new Set(shown.map(({ id }) => id));
  const older = newest.filter((row) => createdAt(row) <= createdAt(last) && !ids.has(row.id));
  return older.length === 0 ? shown : [...shown, ...older];
}

export function createdAt(row: DeploymentRowFragment): number {
  return Date.parse(row.createdAt);
}

/** As far as a row can tell: words and times were the server's to judge. */
function matches(row: DeploymentRowFragment, filter: TaskFilter): boolean {
  const among = (values: readonly string[] | null | undefined, value: string | null): boolean =>
    values == null || values.length === 0 || (value !== null && values.includes(value));
  return (
    among(filter.statuses, row.status) &&
    among(filter.services, row.service) &&
    among(filter.environments, row.environment) &&
    among(filter.createdBy, row.createdBy)
  );
}
