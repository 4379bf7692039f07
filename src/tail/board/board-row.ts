/**
 * One run on a live board, in as little memory as will do: what is shown of it is derived anew
 * when somebody is told, and of a run that ended a while ago the state is kept as text.
 */
import { hash } from 'node:crypto';
import type { RunStatus } from '../../domain/event/event.ts';
import { heapBytes } from '../../domain/event/event-weight.ts';
import { baseRunStatus, deriveRun, type RunState, type TaskState } from '../../domain/fold/fold.ts';
import { cellLetter, isStale, type RunView, type TaskMatrix } from '../../domain/fold/views.ts';

/** Bytes of a row besides its run: names, letters, its place among the changes. */
const ROW_BYTES = 400;
/**
 * Bytes that a run typically holds for each of its steps: when it has ended, and while it goes on.
 */
const STEP_BYTES = { ended: 650, running: 1_500 };

/** What all rows of a board are derived with. */
export interface RowSettings {
  task: TaskState;
  /** The task's, as one array for as long as it is the same. */
  plan: readonly string[];
  over: boolean;
  now: number;
  staleAfterMs: number;
}

export class BoardRow {
  readonly host: string;
  /** The seq of the newest event folded into it; 0: only the plan names this host. */
  seq: number;
  shard: string;
  /** The board's version when what is shown of this run last changed. */
  version = 0;
  /** The status that it is counted as in the board's totals. */
  base: RunStatus | null = null;
  /** About what it holds in memory. */
  bytes = ROW_BYTES;
  /** Something of it falls silent at this moment, where no event comes. */
  silentAt = Infinity;
  /** Something of it is shown as silent, of which no event told. */
  stale = false;
  #state: RunState | string;
  #ended = false;
  /** An event came since the last `rest`. */
  #busy = false;
  /** A hash of what is shown: a run that only got another line of output has not changed. */
  #shown = '';
  #plan: readonly string[] = [];
  /** One for each step of the plan. */
  #letters = '';
  #others: ReadonlyMap<string, string> | null = null;

  constructor(state: RunState) {
    this.host = state.host;
    this.#state = state;
    this.seq = state.position?.seq ?? 0;
    this.shard = state.position?.shard ?? '';
  }

  get state(): RunState {
    return typeof this.#state === 'string' ? (JSON.parse(this.#state) as RunState) : this.#state;
  }

  /** What is shown of it is only up to date after `refresh`. */
  set state(state: RunState) {
    this.#state = state;
    this.#busy = true;
    this.seq = state.position?.seq ?? 0;
    this.shard = state.position?.shard ?? '';
  }

  /**
   * For a look now and then: keeps a run that ended as text where no event came since the last look,
   * for it will get few. Whether it was done now.
   */
  rest(): boolean {
    const wasBusy = this.#busy;
    this.#busy = false;
    if (wasBusy || !this.#ended || typeof this.#state === 'string') return false;
    this.#pack(this.#state);
    return true;
  }

  view({ task, over }: RowSettings): RunView {
    return deriveRun(this.state, task, over);
  }

  /** Derives it anew: whether what is shown of it changed. Throws where it cannot be derived. */
  refresh(settings: RowSettings): boolean {
    const { task, plan, over } = settings;
    const { state } = this;
    const view = deriveRun(state, task, over);
    const base = baseRunStatus(state, plan);
    const shown = hash('sha256', shownOf(view, settings), 'base64');
    this.base = base;
    this.#keep(state, over || view.finishedAt !== null);
    this.#readCells(view, settings);
    if (shown === this.#shown) return false;
    this.#shown = shown;
    return true;
  }

  /** The names of its steps that no plan has. */
  get others(): Iterable<string> {
    return this.#others?.keys() ?? [];
  }

  /** A letter for each column; `plan` are the first of them. */
  cells(plan: readonly string[], columns: readonly string[]): string {
    const fits = this.#plan === plan;
    if (fits && columns.length === plan.length) return this.#letters;
    let cells = fits ? this.#letters.slice(0, columns.length) : '';
    for (const name of columns.slice(cells.length)) cells += this.#letterOf(name);
    return cells;
  }

  #letterOf(name: string): string {
    const planned = this.#plan.indexOf(name);
    return planned >= 0 ? (this.#letters[planned] ?? '-') : (this.#others?.get(name) ?? '-');
  }

  /** Keeps a run as text if it had ended when the board was loaded; one that ends now is told first. */
  #keep(state: RunState, ended: boolean): void {
    this.#ended = ended && state.position !== null;
    const isPacked = typeof this.#state === 'string';
    if (this.#ended && (isPacked || this.#shown === '')) {
      if (!isPacked) this.#pack(state);
      return;
    }
    this.#state = state;
    this.bytes = ROW_BYTES + heapBytes(state);
  }

  #pack(state: RunState): void {
    this.#state = JSON.stringify(state);
    this.bytes = ROW_BYTES + this.#state.length;
  }

  #readCells(view: RunView, { plan, now, staleAfterMs }: RowSettings): void {
    let letters = '';
    let others: Map<string, string> | null = null;
    let silentAt = silenceOf(view, now, staleAfterMs);
    let stale = isStale(view, now, staleAfterMs);
    for (const step of view.steps) {
      const isSilent = isStale(step, now, staleAfterMs);
      const letter = cellLetter(step.status, isSilent);
      stale ||= isSilent;
      silentAt = Math.min(silentAt, silenceOf(step, now, staleAfterMs));
      if (step.index !== null) letters += letter;
      else {
        others ??= new Map();
        others.set(step.name, letter);
      }
    }
    this.#plan = plan;
    this.#letters = letters;
    this.#others = others;
    this.silentAt = silentAt;
    this.stale = stale;
  }
}

function silenceOf(
  view: { status: string; lastEventAt: number | null },
  now: number,
  staleAfterMs: number,
): number {
  const running = view.status === 'RUNNING' && view.lastEventAt !== null;
  if (!running || isStale(view, now, staleAfterMs)) return Infinity;
  return (view.lastEventAt as number) + staleAfterMs;
}

function shownOf(view: RunView, { now, staleAfterMs }: RowSettings): string {
  return JSON.stringify([
    view.status,
    view.startedAt,
    view.finishedAt,
    view.outOfRotationSince,
    view.service,
    view.environment,
    view.version,
    isStale(view, now, staleAfterMs),
    view.steps.map((step) => [
      step.name,
      step.attempt,
      step.status,
      step.startedAt,
      step.finishedAt,
      step.durationMs,
      step.exitCode,
      step.progress?.done,
      step.error,
      step.command,
      step.attempts.length,
      isStale(step, now, staleAfterMs),
    ]),
  ]);
}

/** What a board will hold once it is loaded, as far as its cells tell. */
export function estimatedBytes({ steps, hosts, cells }: TaskMatrix): number {
  let bytes = 0;
  for (let row = 0; row < hosts.length; row++) {
    const letters = cells.slice(row * steps.length, (row + 1) * steps.length);
    const reported = letters.replace(/[-PN]/g, '').length;
    bytes += ROW_BYTES + reported * (/[RrP]/.test(letters) ? STEP_BYTES.running : STEP_BYTES.ended);
  }
  return bytes;
}
