/** One client of a subscription, across its connections, and whether it came to the truth. */
import { CallError, Client, withRetry } from '../../src/cli/client.ts';
import { TypedDocumentString } from '../../src/cli/gen/graphql.ts';
import { live } from '../../src/cli/live.ts';
import { DEFAULT_PLAN, type StepStatus } from '../../src/domain/event/event.ts';
import { cellLetter, type TaskMatrix } from '../../src/domain/fold/views.ts';
import type { Truth } from './watchers.ts';

type Counts = Truth['counts'];
interface Task {
  runCounts: Counts;
}

const COUNTS = 'runCounts { total running succeeded failed }';
const TAIL = new TypedDocumentString<
  { tail: { cursor: string; events: { eventId: string }[] } },
  { filter: object; after: string | null }
>(
  `subscription ($filter: EventFilter!, $after: String) {
    tail(filter: $filter, after: $after) { cursor events { eventId } } }`,
);
const TASK = new TypedDocumentString<{ taskChanged: Task }, { id: string }>(
  `subscription ($id: ID!) { taskChanged(id: $id) { ${COUNTS} } }`,
);
const TASKS = new TypedDocumentString<
  { tasksChanged: { cursor: string; caughtUp: boolean; tasks: Task[] } },
  { ids: string[]; after: string | null }
>(
  `subscription ($ids: [ID!], $after: String) {
    tasksChanged(filter: { ids: $ids }, after: $after) { cursor caughtUp tasks { ${COUNTS} } } }`,
);
const LIST = new TypedDocumentString<{ tasks: { nodes: Task[] } }, { ids: string[] }>(
  `query ($ids: [ID!]) { tasks(filter: { ids: $ids }) { nodes { ${COUNTS} } } }`,
);
interface Run {
  hostName: string;
  steps: { name: string; status: StepStatus }[];
}
const RUNS = new TypedDocumentString<
  { runsChanged: { cursor: string; snapshot: TaskMatrix | null; changed: Run[] } },
  { taskId: string; after: string | null }
>(
  `subscription ($taskId: ID!, $after: String) {
    runsChanged(taskId: $taskId, after: $after) {
      cursor snapshot { hosts steps cells } changed { hostName steps { name status } } } }`,
);

export abstract class Watcher {
  protected readonly url: string;
  protected readonly taskId: string;
  /** Which of all. */
  protected readonly number: number;
  protected after: string | null = null;
  #connections = 0;
  #leaving: AbortController | null = null;
  #reading: Promise<void> = Promise.resolve();
  #failure: string | null = null;

  constructor(url: string, taskId: string, number: number) {
    this.url = url;
    this.taskId = taskId;
    this.number = number;
  }

  connect(): void {
    if (this.#leaving !== null) return;
    this.#leaving = new AbortController();
    this.#connections++;
    this.#reading = this.read(this.#leaving.signal).catch((error: unknown) => {
      this.#failure = error instanceof CallError ? error.message : String(error);
    });
  }

  async leave(): Promise<void> {
    this.#leaving?.abort();
    this.#leaving = null;
    await this.#reading;
  }

  /** In words; null: it has the truth. */
  wrong(truth: Truth): string | null {
    const difference = this.#failure ?? this.difference(truth);
    if (difference === null) return null;
    return `${this.constructor.name} ${this.number} of ${this.#connections} connections: ${difference}`;
  }

  protected options<V>(signal: AbortSignal, variables: () => V) {
    return { connection: { url: this.url, token: null }, variables, signal, retry: true };
  }

  protected abstract read(signal: AbortSignal): Promise<void>;
  protected abstract difference(truth: Truth): string | null;
}

/** The lines of one step; of the ids only how many, the first, and what they come to in order. */
export class EventsWatcher extends Watcher {
  #first: string | null = null;
  #count = 0;
  #sum = 0;

  get #step(): number {
    return this.number % DEFAULT_PLAN.length;
  }

  protected async read(signal: AbortSignal): Promise<void> {
    const filter = { taskId: this.taskId, steps: [DEFAULT_PLAN[this.#step]] };
    const variables = () => ({ filter, after: this.after });
    for await (const { tail } of live(TAIL, this.options(signal, variables))) {
      if (signal.aborted) return;
      for (const { eventId } of tail.events) {
        this.#first ??= eventId;
        this.#count++;
        this.#sum = joined(this.#sum, eventId);
      }
      this.after = tail.cursor;
    }
  }

  protected difference({ stored }: Truth): string | null {
    if (this.after === null) return 'nothing was told';
    const first = this.#first;
    if (first === null) return null;
    // `writer-batch-number`, and each batch is of one step.
    const own = stored.filter(
      (id) => Number(id.split('-')[1]) % DEFAULT_PLAN.length === this.#step,
    );
    const expected = own.slice(own.indexOf(first));
    if (expected.length !== this.#count) {
      return `${this.#count} events instead of ${expected.length}`;
    }
    return expected.reduce(joined, 0) === this.#sum ? null : 'other events, or another order';
  }
}

function joined(sum: number, id: string): number {
  let next = sum;
  for (let i = 0; i < id.length; i++) next = (Math.imul(next, 31) + id.charCodeAt(i)) | 0;
  return next;
}

export class TaskWatcher extends Watcher {
  #counts: Counts | null = null;

  protected async read(signal: AbortSignal): Promise<void> {
    const variables = () => ({ id: this.taskId });
    for await (const { taskChanged } of live(TASK, this.options(signal, variables))) {
      this.#counts = taskChanged.runCounts;
    }
  }

  protected difference({ counts }: Truth): string | null {
    return differenceOf(this.#counts, counts);
  }
}

export class TasksWatcher extends Watcher {
  #counts: Counts | null = null;

  protected async read(signal: AbortSignal): Promise<void> {
    const variables = () => ({ ids: [this.taskId], after: this.after });
    for await (const { tasksChanged } of live(TASKS, this.options(signal, variables))) {
      const { tasks, cursor, caughtUp } = tasksChanged;
      if (signal.aborted) return;
      this.after = cursor;
      for (const { runCounts } of tasks) this.#counts = runCounts;
      // Whoever begins without a cursor asks once, behind the first batch that says so.
      if (caughtUp && this.#counts === null) this.#counts = await this.#ask();
    }
  }

  async #ask(): Promise<Counts | null> {
    const client = new Client({ url: this.url, token: null });
    const { tasks } = await withRetry(() => client.query(LIST, { ids: [this.taskId] }));
    return tasks.nodes[0]?.runCounts ?? null;
  }

  protected difference({ counts }: Truth): string | null {
    return differenceOf(this.#counts, counts);
  }
}

function differenceOf(told: Counts | null, truth: Counts): string | null {
  const names = Object.keys(truth) as (keyof Counts)[];
  if (names.every((name) => told?.[name] === truth[name])) return null;
  const shown = names.map((name) => `${name} ${told?.[name] ?? 'never told'} (${truth[name]})`);
  return shown.join(', ');
}

export class BoardWatcher extends Watcher {
  /** By host, then by step. */
  readonly #rows = new Map<string, Map<string, string>>();

  protected async read(signal: AbortSignal): Promise<void> {
    const variables = () => ({ taskId: this.taskId, after: this.after });
    for await (const { runsChanged } of live(RUNS, this.options(signal, variables))) {
      const { snapshot, changed, cursor } = runsChanged;
      if (signal.aborted) return;
      this.after = cursor;
      if (snapshot !== null) this.#takeWhole(snapshot);
      for (const { hostName, steps } of changed) {
        const cells = steps.map(({ name, status }) => [name, cellLetter(status, false)] as const);
        this.#rows.set(hostName, new Map(cells));
      }
    }
  }

  #takeWhole({ hosts, steps, cells }: TaskMatrix): void {
    this.#rows.clear();
    for (const [row, host] of hosts.entries()) {
      const letters = steps.map(
        (step, i) => [step, cells[row * steps.length + i] as string] as const,
      );
      this.#rows.set(host, new Map(letters));
    }
  }

  protected difference({ differences }: Truth): string | null {
    const hosts = [...this.#rows.keys()];
    const steps = [...DEFAULT_PLAN];
    const cells = hosts.flatMap((host) =>
      steps.map((step) => this.#rows.get(host)?.get(step) ?? '-'),
    );
    const wrong = differences({ hosts, steps, cells: cells.join('') });
    return wrong === 0 ? null : `${wrong} cells are not what the events say`;
  }
}
