/**
 * What comes in: validate → redact → append → publish → acknowledge.
 *
 * An acknowledgement means durable; a bad event is REJECTED by itself and never harms its
 * neighbours; what the queue or the store cannot take is refused whole.
 */
import { LRUCache } from 'lru-cache';
import type { PageRequest } from '../domain/cursor/page.ts';
import { badInput, type InputProblem, ShiplogError } from '../domain/errors.ts';
import type { LogEvent, Position, StoredEvent } from '../domain/event/event.ts';
import { type InputOptions, type ParsedEvent, parseStepEvent } from '../domain/event/input.ts';
import {
  isTaskLine,
  parseFinishTask,
  parseStartTask,
  parseTaskLine,
} from '../domain/event/task-input.ts';
import type { Redactor } from '../domain/redact/redact.ts';
import type { Log } from '../log.ts';
import type { AppendOutcome, Store } from '../store/store.ts';
import { KeyLines, type KeyLinesBatch } from './key-lines.ts';
import { NOBODY, Rejections, type Reporter } from './rejections.ts';
import { createWriter } from './writer.ts';

/** Task declarations remembered, so that a repeated one adds nothing to the log. */
const REMEMBERED_DECLARATIONS = 10_000;
/** Far enough back to find one that others of its task (ended, idle) stand behind. */
const NEWEST_DECLARATIONS: PageRequest = {
  limit: 20,
  backward: true,
  after: null,
  before: null,
  around: null,
  withTotal: false,
};

export interface StepOutcome {
  outcome: 'STORED' | 'DUPLICATE' | 'REJECTED';
  /** The sender's, or the one that the server gave; null where the input had no usable one. */
  eventId: string | null;
  position: Position | null;
  problem: InputProblem | null;
  /** Of a line that begins a task: hosts that it could not take. Absent where there are none. */
  leftOut?: readonly InputProblem[];
}

/** What was last said of a task in one way, and where. */
interface Declared {
  digest: string;
  position: Position;
}

/** The inputs of one call, read: each is an event or rejected. */
interface ReadBatch {
  /** By place, of those that are decided. */
  results: StepOutcome[];
  rejected: { problem: InputProblem; raw: unknown }[];
  events: LogEvent[];
  /** Of the events among the inputs. */
  places: number[];
  leftOut: Map<number, readonly InputProblem[]>;
}

export interface StartedTask {
  taskId: string;
  created: boolean;
  /** Absent where everything was taken. */
  leftOut?: InputProblem[];
}

export interface Ingest {
  /** Appends events that are valid already. See `Writer.submit` for what it rejects with. */
  submit(events: readonly LogEvent[]): Promise<AppendOutcome[]>;
  /**
   * One outcome for each input, in order: events of steps, and lines that say something of a task.
   * Rejects only where nothing could be taken.
   */
  logSteps(
    raws: readonly unknown[],
    reporter?: Reporter,
    options?: Pick<InputOptions, 'idAlone'>,
  ): Promise<StepOutcome[]>;
  /** Counts what could not even be read as an event. */
  noteRejected(problem: InputProblem, reporter: Reporter): void;
  /**
   * Throws BAD_INPUT with the field. Resolves, with what was left out of the declaration, when the
   * views show it, or after a moment all the same: what is stored does not fail.
   */
  startTask(raw: unknown, reporter?: Reporter): Promise<StartedTask>;
  /** Throws BAD_INPUT with the field, also for a task that nothing was reported of. */
  finishTask(raw: unknown): Promise<{ taskId: string }>;
  metrics(): Record<string, number>;
  /** Takes nothing more; resolves when all that was taken is answered. */
  close(): Promise<void>;
}

export interface IngestOptions {
  store: Store;
  redactor: Redactor;
  publish: (events: StoredEvent[]) => void;
  now: () => number;
  log: Pick<Log, 'warn'>;
}

export function createIngest({ store, redactor, publish, now, log }: IngestOptions): Ingest {
  const writer = createWriter(store, publish);
  const keyLines = new KeyLines(redactor);
  const counts = { stored: 0, duplicate: 0, refused: 0 };
  const rejections = new Rejections(log, now);
  const declared = new LRUCache<string, Declared>({ max: REMEMBERED_DECLARATIONS });
  const declaring = new Map<string, Promise<unknown>>();

  async function submit(events: readonly LogEvent[]): Promise<AppendOutcome[]> {
    try {
      const outcomes = await writer.submit(events);
      for (const [i, event] of events.entries()) {
        if (event.task !== null) noteDeclared(event, outcomes[i] as AppendOutcome);
      }
      return outcomes;
    } catch (error) {
      counts.refused += events.length;
      throw error;
    }
  }

  /** The last one in the log, whichever way and in whatever order they are answered. */
  function noteDeclared(event: LogEvent, outcome: AppendOutcome): void {
    if (outcome.outcome !== 'STORED') return;
    const { shard, seq } = outcome.position;
    const known = declared.get(declaredKey(event));
    if (known?.position.shard === shard && known.position.seq > seq) return;
    declared.set(declaredKey(event), { digest: event.digest, position: outcome.position });
  }

  function taskLine(
    raw: unknown,
    receivedAt: number,
    reporter: Reporter,
    leftOut: InputProblem[],
  ): ParsedEvent {
    const parsed = parseTaskLine(raw, receivedAt, { redact: redactor });
    if (!parsed.ok) return parsed;
    for (const problem of parsed.leftOut) rejections.note(problem, null, reporter);
    leftOut.push(...parsed.leftOut);
    return parsed;
  }

  // Not async: what was sent is not held while the store writes, only the events made of it.
  function logSteps(
    raws: readonly unknown[],
    reporter: Reporter = NOBODY,
    { idAlone = false }: Pick<InputOptions, 'idAlone'> = {},
  ): Promise<StepOutcome[]> {
    const receivedAt = now();
    const read: ReadBatch = {
      results: [],
      rejected: [],
      events: [],
      places: [],
      leftOut: new Map(),
    };
    const lines = keyLines.batch();
    const options = { redact: redactor, lines, idAlone };
    for (let i = 0; i < raws.length; i++) {
      const raw = raws[i];
      const left: InputProblem[] | null = isTaskLine(raw) ? [] : null;
      const parsed =
        left === null
          ? parseStepEvent(raw, receivedAt, options)
          : taskLine(raw, receivedAt, reporter, left);
      if (parsed.ok) {
        if (left !== null && left.length > 0) read.leftOut.set(i, left);
        read.events.push(parsed.event);
        read.places.push(i);
      } else {
        read.results[i] = rejected(sentId(raw), parsed.problem);
        read.rejected.push({ problem: parsed.problem, raw });
      }
    }
    return settled(read, lines, reporter);
  }

  async function settled(
    { results, rejected: refused, events, places, leftOut }: ReadBatch,
    lines: KeyLinesBatch,
    reporter: Reporter,
  ): Promise<StepOutcome[]> {
    const outcomes = await submit(events).catch((error: unknown) => {
      lines.undo();
      throw error;
    });
    for (const { problem, raw } of refused) rejections.note(problem, raw, reporter);
    for (let k = 0; k < events.length; k++) {
      const event = events[k] as LogEvent;
      const result = stepOutcome(event.eventId, outcomes[k] as AppendOutcome);
      results[places[k] as number] = result;
      if (result.outcome === 'STORED') counts.stored++;
      else if (result.outcome === 'DUPLICATE') counts.duplicate++;
      else if (result.problem !== null) rejections.note(result.problem, event, reporter);
    }
    for (const [i, problems] of leftOut) (results[i] as StepOutcome).leftOut = problems;
    return results;
  }

  /** Declarations of one task go one after another, so that `created` is true once. */
  async function inTurn<T>(taskId: string, work: () => Promise<T>): Promise<T> {
    const before = declaring.get(taskId) ?? Promise.resolve();
    const turn = before.then(work, work);
    declaring.set(taskId, turn);
    try {
      return await turn;
    } finally {
      if (declaring.get(taskId) === turn) declaring.delete(taskId);
    }
  }

  /** Another server may have taken in another declaration since: the log knows. */
  async function isNewest({ taskId, digest, task }: LogEvent): Promise<boolean> {
    const [found] = await store.events([
      { filter: { taskId, kinds: ['TASK'] }, order: 'LOG', page: NEWEST_DECLARATIONS },
    ]);
    const same = found?.rows.findLast(({ node }) => node.task?.change === task?.change);
    return same?.node.digest === digest;
  }

  /** Writes a TASK event, unless it says what the last one of its kind said. */
  async function declare(event: LogEvent, taskIsThere: boolean): Promise<void> {
    // Of a task that is gone (retention) nothing holds any more, whatever is remembered.
    const repeated = taskIsThere && declared.get(declaredKey(event))?.digest === event.digest;
    if (repeated && (!store.shared || (await isNewest(event)))) return;
    const [outcome] = await submit([event]);
    // What the store refuses of a declaration it refuses of its task, whose field is called id.
    if (outcome?.outcome === 'REJECTED') throw refusal({ ...outcome.problem, field: 'id' });
    // It is stored: that its views are late, or cannot be looked at now, is no failure of it.
    await store.viewsShow([event.taskId], 'BY_ID').catch(() => null);
  }

  return {
    submit,
    logSteps,
    noteRejected: (problem, reporter) => rejections.note(problem, null, reporter),
    async startTask(raw, reporter = NOBODY) {
      const parsed = parseStartTask(raw, now(), { redact: redactor });
      if (!parsed.ok) throw refusal(parsed.problem);
      const { event, leftOut } = parsed;
      for (const problem of leftOut) rejections.note(problem, null, reporter);
      return inTurn(event.taskId, async () => {
        const [before] = await store.tasksById([event.taskId]);
        await declare(event, before !== null);
        const taken = { taskId: event.taskId, created: before === null };
        return leftOut.length === 0 ? taken : { ...taken, leftOut };
      });
    },
    async finishTask(raw) {
      const parsed = parseFinishTask(raw, now(), { redact: redactor });
      if (!parsed.ok) throw refusal(parsed.problem);
      const { event } = parsed;
      return inTurn(event.taskId, async () => {
        const [task] = await store.tasksById([event.taskId]);
        if (!task) throw badInput(`no task "${event.taskId}": nothing was reported of it`, 'id');
        await declare(event, true);
        return { taskId: event.taskId };
      });
    },
    metrics: () => ({
      ingest_stored_total: counts.stored,
      ingest_duplicate_total: counts.duplicate,
      ...Object.fromEntries(
        [...rejections.counts()].map(([code, count]) => [
          `ingest_rejected_total{code="${code}"}`,
          count,
        ]),
      ),
      ingest_refused_total: counts.refused,
      ingest_appends_total: writer.appends(),
      ingest_queued_events: writer.queuedEvents(),
      ingest_queued_bytes: writer.queuedBytes(),
    }),
    close: () => writer.close(),
  };
}

function declaredKey({ task, taskId }: LogEvent): string {
  return `${task?.change} ${taskId}`;
}

function refusal(problem: InputProblem): ShiplogError {
  return new ShiplogError(
    'BAD_INPUT',
    problem.message,
    problem.field === null ? {} : { field: problem.field },
  );
}

function rejected(eventId: string | null, problem: InputProblem): StepOutcome {
  return { outcome: 'REJECTED', eventId, position: null, problem };
}

function stepOutcome(eventId: string, outcome: AppendOutcome): StepOutcome {
  return outcome.outcome === 'REJECTED'
    ? rejected(eventId, outcome.problem)
    : { outcome: outcome.outcome, eventId, position: outcome.position, problem: null };
}

function sentId(raw: unknown): string | null {
  const id =
    typeof raw === 'object' && raw !== null ? (raw as { eventId?: unknown }).eventId : null;
  return typeof id === 'string' && id !== '' && id.length <= 128 ? id : null;
}
