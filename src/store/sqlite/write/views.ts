/**
 * The folded views, behind the log by a moment: an append folds its events in memory and is
 * answered; the views are written soon after, each once however many events touched it. How far
 * they are written is recorded with them, and whatever was lost in memory is folded again from
 * the log. The fold is idempotent, so folding an event twice does no harm.
 */
import { LRUCache } from 'lru-cache';
import type { StoredEvent } from '../../../domain/event/event.ts';
import { foldHost, foldRun, foldTask, type HostState } from '../../../domain/fold/fold.ts';
import type { EventFilter } from '../../../domain/search/filter.ts';
import type { Connection } from '../file/connection.ts';
import { allDays } from '../file/days.ts';
import { readMeta, VIEWS_THROUGH, writeMeta } from '../file/meta.ts';
import { headSeq, readLog } from '../read/events.ts';
import { hostStateOf } from '../read/host-row.ts';
import { Entries, type EntryBounds, type RunEntry, type TaskEntry } from './entries.ts';
import { ViewWriter } from './view-writer.ts';

const MAX_HOSTS = 20_000;
const REFOLD_SLICE = 1_000;

export class Views {
  readonly #connection: Connection;
  readonly #writer: ViewWriter;
  readonly entries: Entries;
  readonly #hosts = new LRUCache<string, HostState>({ max: MAX_HOSTS });
  readonly #touchedHosts = new Map<string, HostState>();
  /** Days that retention is removing: their tasks take no events. */
  readonly leaving: Set<number>;
  /** Everything at or below is in the stored views. */
  through: number;
  /** Everything at or below is folded. */
  #folded: number;
  /** false: what was rolled back could not be folded again yet, so nothing may be built on it. */
  #whole = true;

  constructor(connection: Connection, bounds?: EntryBounds) {
    this.#connection = connection;
    this.entries = new Entries(connection, bounds);
    this.#writer = new ViewWriter(connection, this.entries, (run, error) =>
      this.#setAside(run, error),
    );
    this.leaving = new Set(
      allDays(connection).flatMap(({ day, leaving }) => (leaving === 1 ? [day] : [])),
    );
    this.through = readMeta(connection, VIEWS_THROUGH);
    this.#folded = this.through;
  }

  /** How many events the stored views are behind; some, where that is not known. */
  get behind(): number {
    return this.#whole ? this.#folded - this.through : 1;
  }

  /** Folds a stored event and stamps it with its task's service and environment. */
  fold(task: TaskEntry, run: RunEntry | null, event: StoredEvent): void {
    if (!task.aside) task.state = foldTask(task.state, event);
    event.service = task.state.service?.value ?? null;
    event.environment = task.state.environment?.value ?? null;
    this.entries.touchTask(task);
    this.#folded = event.position.seq;
    if (run === null || event.host === null || event.step === null) return;
    if (!task.aside) {
      this.#foldRun(run, event);
      this.entries.touchRun(run, event.step);
    }
    const host = foldHost(this.#host(event.host), event);
    if (host !== null) this.#touchedHosts.set(event.host, host);
  }

  /** One run that cannot be folded must not stop the log, nor the views of all others. */
  #foldRun(run: RunEntry, event: StoredEvent): void {
    if (run.aside) {
      this.#setAside(run, null);
      return;
    }
    try {
      run.state = foldRun(run.state, event);
    } catch (error) {
      this.#setAside(run, error);
    }
  }

  /** `error`: null where its state could not even be read. */
  #setAside(run: RunEntry, error: unknown): void {
    run.aside = true;
    const { taskId, host } = run.state;
    this.#connection.aside.add({ taskId, host }, error);
  }

  #host(name: string): HostState | null {
    const known = this.#touchedHosts.get(name) ?? this.#hosts.get(name);
    if (known !== undefined) return known;
    const row = this.#connection.get<{ state: string }>(
      'SELECT state FROM hosts WHERE name = ?',
      name,
    );
    if (row === undefined) return null;
    // One that cannot be understood is made anew from what comes.
    return this.#connection.aside.try({ host: name }, () => hostStateOf(row.state));
  }

  /** Rows by which the events of a new task or run can be understood; with its first event. */
  register(task: TaskEntry, run: RunEntry | null): void {
    if (task.isNew) this.#writer.registerTask(task);
    if (run?.isNew) this.#writer.registerRun(run);
  }

  /** Writes what is behind. Where it throws, the stored views are as before. */
  flush(): void {
    this.makeWhole();
    if (this.behind === 0) return;
    const through = this.#folded;
    // The log is durable and has it all, so this commit need not wait for the disk.
    this.#connection.exec('PRAGMA synchronous = NORMAL');
    try {
      this.#connection.transaction('BEGIN IMMEDIATE', () => {
        this.#write();
        writeMeta(this.#connection, VIEWS_THROUGH, through);
      });
    } catch (error) {
      this.recover();
      throw error;
    } finally {
      this.#connection.exec('PRAGMA synchronous = FULL');
    }
    this.through = through;
    this.entries.clean();
    this.#touchedHosts.clear();
  }

  #write(): void {
    for (const task of this.#writer.tasks()) this.#writer.writeTask(task);
    for (const [name, state] of this.#touchedHosts) {
      this.#writer.writeHost(name, state);
      this.#hosts.set(name, state);
    }
  }

  /**
   * Folds one task anew from its events, in one transaction that begins with `reset`. Nothing may
   * be behind. Returns how many events it has.
   */
  refold(taskId: string, reset: () => void): number {
    let events = 0;
    this.#connection.transaction('BEGIN IMMEDIATE', () => {
      reset();
      this.entries.forget();
      events = this.#foldLog(0, this.through, { taskId });
      this.#write();
    });
    this.#folded = this.through;
    this.entries.clean();
    this.#touchedHosts.clear();
    return events;
  }

  /** Folds the events with seq in (after, to]; returns how many there were. */
  #foldLog(after: number, to: number, filter: EventFilter | null): number {
    let count = 0;
    for (let at = after; at < to; ) {
      const slice = readLog(this.#connection, at, to, filter, REFOLD_SLICE);
      for (const event of slice.events) {
        const task = this.entries.task(event.taskId, 0);
        if (task === null) throw new Error(`event ${event.position.seq} has no task`);
        task.events++;
        this.fold(task, event.host === null ? null : this.entries.run(task, event.host), event);
      }
      count += slice.events.length;
      at = slice.through;
    }
    return count;
  }

  /** Before anything is folded: a disk that could not be read may be well again. */
  makeWhole(): void {
    if (!this.#whole) this.recover();
  }

  /** Folds again what the stored views do not have: after a start, or a rollback. */
  recover(): void {
    this.#whole = false;
    this.entries.forget();
    this.#hosts.clear();
    this.#touchedHosts.clear();
    this.#folded = this.through;
    const head = headSeq(this.#connection);
    this.#foldLog(this.#folded, head, null);
    this.#folded = Math.max(this.#folded, head);
    this.#whole = true;
  }
}
