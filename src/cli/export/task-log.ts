/**
 * The log, task by task in the order in which they began, each in the order of the log: what is stored
 * in this order again gives the same log.
 */
import { CallError, type Client, withRetry } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { type EventFilter, ExportEventsDocument, ExportTasksDocument } from '../gen/graphql.ts';
import type { ExportedEvent } from './event-input.ts';

export interface Selection {
  tasks: readonly string[] | null;
  hosts: readonly string[] | null;
  steps: readonly string[] | null;
  /** Epoch milliseconds. */
  since: number | null;
  until: number | null;
}

/** What is read behind one another: a task's own events and those of its hosts, where only some are. */
type Part = 'all' | 'task' | 'steps';

/** Everything up to here was handed on. */
export interface Place {
  /** In the list of tasks: behind this one; null: from its start. */
  task: string | null;
  part: Part | null;
  /** In the log of the next task; null: from its start. */
  event: string | null;
}

export const START: Place = { task: null, part: null, event: null };

export interface LogPage {
  events: ExportedEvent[];
  place: Place;
}

/**
 * How far a host's clock may be off: by one that is behind, an event seems to have come before it
 * happened.
 */
const CLOCK_SLACK_MS = 86_400_000;
const ATTEMPTS = 10;

export class TaskLog {
  readonly #client: Client;
  readonly #selection: Selection;
  readonly #signal: AbortSignal;

  constructor(client: Client, selection: Selection, signal: AbortSignal) {
    this.#client = client;
    this.#selection = selection;
    this.#signal = signal;
  }

  /** A page at a time, from behind the place. */
  async *pages(from: Place): AsyncGenerator<LogPage> {
    let place = from;
    for await (const { id, cursor } of this.#tasks(place.task)) {
      const start: Place = { task: place.task, part: null, event: null };
      try {
        yield* this.#ofTask(id, place);
      } catch (error) {
        // The task that it stood in was removed since, or one that began earlier has come.
        if (!(error instanceof CallError && error.code === 'CURSOR_MISMATCH')) throw error;
        yield* this.#ofTask(id, start);
      }
      place = { ...start, task: cursor };
    }
  }

  async *#ofTask(id: string, from: Place): AsyncGenerator<LogPage> {
    const { task } = from;
    let place = from;
    for (const part of this.#parts()) {
      if (place.part !== null && place.part !== part) continue;
      for await (const { events, event } of this.#events(id, part, place.event)) {
        yield { events, place: { task, part, event } };
      }
      place = { task, part: null, event: null };
    }
  }

  /** TASK events have no host and no step, and a log without them says less. */
  #parts(): readonly Part[] {
    const { hosts, steps } = this.#selection;
    return hosts === null && steps === null ? ['all'] : ['task', 'steps'];
  }

  async *#tasks(from: string | null): AsyncGenerator<{ id: string; cursor: string }> {
    const { tasks: ids, since, until } = this.#selection;
    if (ids !== null) {
      const first = from === null ? 0 : ids.indexOf(from) + 1;
      for (const id of ids.slice(first)) yield { id, cursor: id };
      return;
    }
    const filter = until === null ? null : { to: new Date(until).toISOString() };
    for (let after = from; ; ) {
      const variables = { filter, after };
      const { tasks } = await this.#call(() => this.#client.query(ExportTasksDocument, variables));
      for (const [at, { id, lastEventAt }] of tasks.nodes.entries()) {
        const isOver = since !== null && lastEventAt !== null;
        if (isOver && Date.parse(String(lastEventAt)) < since - CLOCK_SLACK_MS) continue;
        yield { id, cursor: (tasks.edges[at] as { cursor: string }).cursor };
      }
      after = tasks.pageInfo.endCursor;
      if (!tasks.pageInfo.hasNextPage || after === null) return;
    }
  }

  async *#events(
    taskId: string,
    part: Part,
    from: string | null,
  ): AsyncGenerator<{ events: ExportedEvent[]; event: string }> {
    const filter = this.#filter(taskId, part);
    for (let after = from; ; ) {
      const variables: { filter: EventFilter; after: string | null } = { filter, after };
      const call = () => this.#client.query(ExportEventsDocument, variables);
      const { events } = await this.#call(call);
      const { endCursor, hasNextPage } = events.pageInfo;
      if (endCursor === null) return;
      yield { events: events.nodes, event: endCursor };
      if (!hasNextPage) return;
      after = endCursor;
    }
  }

  #filter(taskId: string, part: Part): EventFilter {
    const { hosts, steps, since, until } = this.#selection;
    const ofSteps = {
      ...(hosts === null ? {} : { hosts: [...hosts] }),
      ...(steps === null ? {} : { steps: [...steps] }),
    };
    return {
      taskId,
      ...(part === 'task' ? { kinds: ['TASK'] } : ofSteps),
      ...(since === null ? {} : { from: new Date(since).toISOString() }),
      ...(until === null ? {} : { to: new Date(until).toISOString() }),
    };
  }

  #call<T>(call: () => Promise<T>): Promise<T> {
    if (this.#signal.aborted) throw new CliError('interrupted', EXIT.interrupted);
    return withRetry(call, { attempts: ATTEMPTS, signal: this.#signal });
  }
}
