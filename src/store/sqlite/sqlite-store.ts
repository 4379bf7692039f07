/**
 * The port's methods on SQLite, each a request to a thread: all SQL runs in threads, for its calls
 * are synchronous. This side only hands over, and remembers how far the log is.
 */
import { ShiplogError } from '../../domain/errors.ts';
import type { LogEvent } from '../../domain/event/event.ts';
import type {
  AppendOutcome,
  BoardSnapshot,
  RetentionReport,
  ShardHead,
  Store,
  StoreHealth,
  ViewSettings,
} from '../store.ts';
import { SHARD } from './file/epochs.ts';
import { Metrics } from './metrics.ts';
import type { JsonText } from './read/json-text.ts';
import { type AppendReply, outcomesOf, textOfEvents } from './threads/append-message.ts';
import type { ReaderOperations } from './threads/reader.ts';
import type { ReaderPool } from './threads/reader-pool.ts';
import { WorkerClient } from './threads/worker-client.ts';
import type { WriterReady } from './threads/writer.ts';

/** What arrives of an operation's result: what it said as JSON text is not known to the types. */
type Answer<K extends keyof ReaderOperations> = Exclude<ReturnType<ReaderOperations[K]>, JsonText>;

interface SqliteParts {
  file: string;
  settings: ViewSettings;
  lock: { release: () => void };
  writer: WorkerClient;
  readers: ReaderPool;
  ready: WriterReady;
  /** Resolves when the thread that writes has ended by itself. */
  failed: Promise<Error>;
}

export class SqliteStore implements Store {
  readonly engine = 'sqlite';
  readonly shared = false;
  readonly failed: Promise<Error>;
  readonly appendLimits = { inFlight: 2, batchEvents: 3_000, batchBytes: 3 * 1_048_576 };

  readonly #file: string;
  readonly #settings: ViewSettings;
  readonly #lock: { release: () => void };
  readonly #writer: WorkerClient;
  readonly #readers: ReaderPool;
  readonly #metrics = new Metrics();
  readonly #epoch: number;
  #lastSeq: number;
  #droppedThrough: number;
  #viewsThrough = 0;
  #flushing: Promise<void> | null = null;
  #retaining: Promise<RetentionReport> | null = null;
  #closed: Promise<void> | null = null;

  constructor({ file, settings, lock, writer, readers, ready, failed }: SqliteParts) {
    this.failed = failed;
    this.#file = file;
    this.#settings = settings;
    this.#lock = lock;
    this.#writer = writer;
    this.#readers = readers;
    this.#epoch = ready.epoch;
    this.#lastSeq = ready.lastSeq;
    this.#droppedThrough = ready.droppedThrough;
  }

  async #write<T>(op: string, ...args: unknown[]): Promise<T> {
    this.#checkOpen();
    return JSON.parse(await this.#writer.call(op, args)) as T;
  }

  async #read<K extends keyof ReaderOperations>(
    op: K,
    ...args: Parameters<ReaderOperations[K]>
  ): Promise<Answer<K>> {
    this.#checkOpen();
    return JSON.parse(await this.#readers.call(op, args)) as Answer<K>;
  }

  /** A read of views: what was acknowledged before it was asked is in them. */
  async #view<K extends keyof ReaderOperations>(
    op: K,
    ...args: Parameters<ReaderOperations[K]>
  ): Promise<Answer<K>> {
    this.#checkOpen();
    // Where views cannot be written (a full disk), reading those that are there still works.
    if (this.#viewsThrough < this.#lastSeq) await this.#flush().catch(() => null);
    return this.#read(op, ...args);
  }

  /** One at a time, for all who wait: the next one begins when this one is answered. */
  async #flush(): Promise<void> {
    const wanted = this.#lastSeq;
    while (this.#viewsThrough < wanted) {
      this.#flushing ??= this.#write<number>('flush')
        .then((through) => {
          this.#viewsThrough = Math.max(this.#viewsThrough, through);
        })
        .finally(() => {
          this.#flushing = null;
        });
      await this.#flushing;
    }
  }

  #checkOpen(): void {
    if (this.#closed !== null) throw new ShiplogError('SHUTTING_DOWN', 'The server is stopping');
  }

  async append(events: readonly LogEvent[]): Promise<AppendOutcome[]> {
    if (events.length === 0) return [];
    const began = performance.now();
    const text = textOfEvents(events);
    const reply = await this.#write<AppendReply>('append', text, this.#settings.now());
    this.#lastSeq = Math.max(this.#lastSeq, reply.lastSeq);
    this.#metrics.appended(events.length, performance.now() - began);
    return outcomesOf(reply);
  }

  async heads(_taskId: string | null): Promise<ShardHead[]> {
    this.#checkOpen();
    return [
      {
        shard: SHARD,
        history: this.#epoch,
        seq: this.#lastSeq,
        droppedThrough: this.#droppedThrough,
      },
    ];
  }

  readLog: Store['readLog'] = async (shard, to, filter, limit) => {
    if (shard.shard !== SHARD) return { events: [], through: shard.seq, droppedThrough: 0 };
    return this.#read('readLog', shard.seq, Math.min(to, this.#lastSeq), filter, limit);
  };

  checkCursors: Store['checkCursors'] = (cursors) => this.#read('checkCursors', [...cursors]);

  viewsReach: Store['viewsReach'] = async (positions) => {
    this.#checkOpen();
    let reach = 0;
    for (const { seq } of positions) reach = Math.max(reach, Math.min(seq, this.#lastSeq));
    if (reach > this.#viewsThrough) await this.#flush();
  };

  viewsShow: Store['viewsShow'] = async () => {
    this.#checkOpen();
    // On a full disk the views stay where they are, while they can be read.
    await this.#flush().catch(() => null);
    return Math.max(0, this.#lastSeq - this.#viewsThrough);
  };

  events: Store['events'] = (queries) => this.#read('events', [...queries]);
  tasks: Store['tasks'] = (query) => this.#view('tasks', query);
  tasksById: Store['tasksById'] = (ids) => this.#view('tasksById', [...ids]);
  tasksChangedSince: Store['tasksChangedSince'] = (after, limit) => {
    const own = after.find(({ shard }) => shard === SHARD);
    return this.#view('tasksChangedSince', own?.seq ?? 0, limit);
  };
  taskStats: Store['taskStats'] = (ids) => this.#view('taskStats', [...ids], this.#settings.now());
  runs: Store['runs'] = (queries) => this.#view('runs', [...queries], this.#settings.now());
  runsByKey: Store['runsByKey'] = (keys) => this.#view('runsByKey', [...keys]);
  steps: Store['steps'] = (queries) => this.#view('steps', [...queries]);
  stepsByKey: Store['stepsByKey'] = (keys) => this.#view('stepsByKey', [...keys]);
  hosts: Store['hosts'] = (query) => this.#view('hosts', query);
  hostsByName: Store['hostsByName'] = (names) => this.#view('hostsByName', [...names]);
  lastLines: Store['lastLines'] = (keys, count) => this.#read('lastLines', [...keys], count);
  completeness: Store['completeness'] = (keys) => this.#read('completeness', [...keys]);
  reliability: Store['reliability'] = (hosts, from, to) =>
    this.#view('reliability', [...hosts], from, to);
  matrices: Store['matrices'] = (ids) => this.#view('matrices', [...ids], this.#settings.now());
  board: Store['board'] = async (taskId) =>
    (await this.#view('board', taskId)) as BoardSnapshot | null;
  stepStats: Store['stepStats'] = (filter, groupBy) => this.#view('stepStats', filter, groupBy);
  eventHistogram: Store['eventHistogram'] = (filter, buckets) =>
    this.#read('eventHistogram', filter, buckets);
  failureGroups: Store['failureGroups'] = (queries) => this.#view('failureGroups', [...queries]);
  eventCount: Store['eventCount'] = () => this.#read('eventCount');
  idleTasks: Store['idleTasks'] = (before, limit) => this.#view('idleTasks', before, limit);

  applyRetention: Store['applyRetention'] = () => {
    this.#retaining ??= this.#retain().finally(() => {
      this.#retaining = null;
    });
    return this.#retaining;
  };

  /** Slice by slice: what was asked for meanwhile is done between two of them. */
  async #retain(): Promise<RetentionReport> {
    const now = this.#settings.now();
    for (;;) {
      const { report, droppedThrough } = await this.#write<{
        report: RetentionReport | null;
        droppedThrough: number;
      }>('retention', now);
      this.#droppedThrough = droppedThrough;
      if (report !== null) return report;
    }
  }

  async backup(file: string): Promise<void> {
    this.#checkOpen();
    await copyDatabase(this.#file, file);
  }

  async health(): Promise<StoreHealth> {
    this.#checkOpen();
    try {
      await this.#write('check');
      await this.#read('eventCount');
      return { ok: true, detail: 'the database reads and writes' };
    } catch (error) {
      if (error instanceof ShiplogError) return { ok: false, detail: error.message };
      throw error;
    }
  }

  metrics(): Record<string, number> {
    return this.#metrics.read(this.#file, {
      store_read_queue: this.#readers.queueLength,
      store_write_queue: this.#writer.pending,
      store_last_seq: this.#lastSeq,
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    await this.#readers.close();
    // What was handed over before is answered first: the writer takes its requests in order.
    await this.#writer.call('close', []).catch(() => null);
    await this.#writer.terminate();
    this.#lock.release();
  }
}

/** Of a file that may be written at the same time. */
export async function copyDatabase(file: string, target: string): Promise<void> {
  const thread = new WorkerClient(new URL('./threads/backup.ts', import.meta.url), { file });
  try {
    await thread.ready;
    await thread.call('backup', [target]);
  } finally {
    await thread.terminate();
  }
}
