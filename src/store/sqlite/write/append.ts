/**
 * One batch of events, one transaction: identity, seqs, rows, words and counts. Views are folded
 * in memory and written later.
 */
import type { LogEvent, StoredEvent } from '../../../domain/event/event.ts';
import { capFor, idConflict, taskExpired, taskFull } from '../../../domain/event/rejections.ts';
import type { AppendOutcome, ViewSettings } from '../../store.ts';
import type { Connection } from '../file/connection.ts';
import { dayOf } from '../file/days.ts';
import { SHARD } from '../file/epochs.ts';
import { identityOf, idHash } from '../file/event-row.ts';
import { DayBatch } from './day-batch.ts';
import type { EntryBounds, TaskEntry } from './entries.ts';
import { type Identified, Identities } from './identities.ts';
import { Views } from './views.ts';

export type AppendSettings = Pick<ViewSettings, 'maxEventsPerTask' | 'retentionDays'>;

export class Appender {
  readonly #connection: Connection;
  readonly #settings: AppendSettings;
  readonly #identities: Identities;
  readonly views: Views;
  /** The greatest seq that is committed. */
  lastSeq: number;

  /** `bounds`: tests make them small; `generation`: ids that go into their index together. */
  constructor(
    connection: Connection,
    settings: AppendSettings,
    lastSeq: number,
    bounds?: EntryBounds & { generation?: number },
  ) {
    this.#connection = connection;
    this.#settings = settings;
    this.views = new Views(connection, bounds);
    this.#identities = new Identities(connection, this.views.leaving, bounds?.generation);
    this.lastSeq = lastSeq;
    this.views.recover();
  }

  /** `events` become ours. Where it throws, nothing is stored. `now`: the receiver's clock. */
  append(events: LogEvent[], now: number): AppendOutcome[] {
    this.views.makeWhole();
    try {
      const identities = this.#identities;
      const batch = new Batch(
        { connection: this.#connection, settings: this.#settings, views: this.views, identities },
        this.lastSeq,
      );
      const [outcomes, committed] = this.#connection.transaction('BEGIN IMMEDIATE', () => {
        const decided = batch.takeAll(events, dayOf(now));
        batch.write();
        return [decided, identities.advance(batch.stored)] as const;
      });
      this.lastSeq = batch.seq;
      committed();
      return outcomes;
    } catch (error) {
      this.views.recover();
      throw error;
    }
  }
}

interface BatchParts {
  connection: Connection;
  settings: AppendSettings;
  views: Views;
  identities: Identities;
}

class Batch {
  readonly #connection: Connection;
  readonly #settings: AppendSettings;
  readonly #views: Views;
  readonly #identities: Identities;
  readonly #days = new Map<number, DayBatch>();
  readonly #seen = new Map<string, { digest: string; seq: number }>();
  readonly stored: Identified[] = [];
  seq: number;

  constructor({ connection, settings, views, identities }: BatchParts, lastSeq: number) {
    this.#connection = connection;
    this.#settings = settings;
    this.#views = views;
    this.#identities = identities;
    this.seq = lastSeq;
  }

  takeAll(events: readonly LogEvent[], today: number): AppendOutcome[] {
    // Held here: what is not dirty yet may be forgotten when the next ones are remembered.
    const known = new Map<string, TaskEntry | null>();
    const tasks = events.map(({ taskId }) => {
      let task = known.get(taskId);
      if (task === undefined) {
        task = this.#views.entries.task(taskId, today);
        known.set(taskId, task);
      }
      return task;
    });
    this.#lookUp(events, tasks);
    return events.map((event, at) => this.#take(event, tasks[at] ?? null));
  }

  #take(event: LogEvent, task: TaskEntry | null): AppendOutcome {
    if (task === null || this.#views.leaving.has(task.day)) {
      return { outcome: 'REJECTED', problem: taskExpired(event) };
    }
    const first = this.#seen.get(event.id);
    if (first !== undefined) return again(event, first);
    const { maxEventsPerTask } = this.#settings;
    if (task.events >= capFor(event, maxEventsPerTask)) {
      return { outcome: 'REJECTED', problem: taskFull(event, maxEventsPerTask) };
    }
    return this.#store(task, event);
  }

  /** Which of them are stored already: one statement for a task, not one for each event. */
  #lookUp(events: readonly LogEvent[], tasks: readonly (TaskEntry | null)[]): void {
    const hashes = new Map<TaskEntry, number[]>();
    for (let at = 0; at < events.length; at++) {
      const task = tasks[at];
      if (task === null || task === undefined || task.isNew) continue;
      // Its rows go, and it takes nothing.
      if (this.#views.leaving.has(task.day)) continue;
      const list = hashes.get(task);
      const hash = idHash((events[at] as LogEvent).id);
      if (list === undefined) hashes.set(task, [hash]);
      else list.push(hash);
    }
    for (const [task, list] of hashes) {
      const rows = this.#identities.find(task, list);
      for (const [seq, rest] of rows) {
        const { id, digest } = identityOf(rest);
        this.#seen.set(id, { digest, seq });
      }
    }
  }

  #store(task: TaskEntry, event: LogEvent): AppendOutcome {
    const seq = ++this.seq;
    const stored = event as StoredEvent;
    stored.position = { shard: SHARD, seq };
    const run = event.host === null ? null : this.#views.entries.run(task, event.host);
    if (task.events === 0) task.firstSeq = seq;
    task.events++;
    this.#views.register(task, run);
    this.#views.fold(task, run, stored);
    this.#day(task.day).insert(stored, task.key, run?.key ?? null);
    this.stored.push({ day: task.day, task: task.key, hash: idHash(stored.id), seq });
    this.#seen.set(event.id, { digest: event.digest, seq });
    return {
      outcome: 'STORED',
      position: stored.position,
      service: stored.service,
      environment: stored.environment,
    };
  }

  #day(day: number): DayBatch {
    let batch = this.#days.get(day);
    if (batch === undefined) {
      batch = new DayBatch(this.#connection, day);
      this.#days.set(day, batch);
    }
    return batch;
  }

  write(): void {
    for (const day of this.#days.values()) day.write();
  }
}

function again(event: LogEvent, first: { digest: string; seq: number }): AppendOutcome {
  if (first.digest === event.digest) {
    return { outcome: 'DUPLICATE', position: { shard: SHARD, seq: first.seq } };
  }
  return { outcome: 'REJECTED', problem: idConflict(event) };
}
