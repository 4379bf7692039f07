/** Somebody who looks at a board: what was told so far, put together as a client would. */
import type { StoredEvent } from '../../src/domain/event/event.ts';
import { cellLetter, type RunView } from '../../src/domain/fold/views.ts';
import type { Store } from '../../src/store/store.ts';
import type { RunsBatch } from '../../src/tail/tail.ts';
import { foldLog } from '../store/oracle.ts';

/** Host → step → letter; steps of which nothing is known are left out. */
type Cells = Record<string, Record<string, string>>;

export class Screen {
  cells: Cells = {};
  cursor = '';
  batches: RunsBatch[] = [];
  readonly #board: AsyncIterator<RunsBatch>;

  constructor(board: AsyncIterator<RunsBatch>, from: Screen | null = null) {
    this.#board = board;
    if (from !== null) this.cells = structuredClone(from.cells);
  }

  async next(): Promise<RunsBatch> {
    const { value, done } = await this.#board.next();
    if (done) throw new Error('the subscription ended early');
    this.#show(value);
    return value;
  }

  /** Looks on until it shows this. */
  async until(expected: Cells): Promise<void> {
    const wanted = JSON.stringify(sorted(expected));
    const deadline = performance.now() + 10_000;
    while (this.batches.length === 0 || JSON.stringify(sorted(this.cells)) !== wanted) {
      if (performance.now() > deadline) {
        throw new Error(`shows ${JSON.stringify(sorted(this.cells))} instead of ${wanted}`);
      }
      await this.next();
    }
  }

  async leave(): Promise<void> {
    await this.#board.return?.();
  }

  #show(batch: RunsBatch): void {
    const { snapshot, changed, cursor } = batch;
    this.batches.push(batch);
    this.cursor = cursor;
    if (snapshot !== null) {
      const { steps, hosts, cells } = snapshot;
      this.cells = {};
      hosts.forEach((host, row) => {
        this.cells[host] = {};
        steps.forEach((step, column) => {
          const letter = cells[row * steps.length + column] as string;
          if (letter !== '-') (this.cells[host] as Cells[string])[step] = letter;
        });
      });
    }
    for (const run of changed) this.cells[run.host] = lettersOf(run);
  }
}

function lettersOf({ steps }: RunView): Cells[string] {
  return Object.fromEntries(steps.map(({ name, status }) => [name, cellLetter(status, false)]));
}

function sorted(cells: Cells): [string, [string, string][]][] {
  return Object.entries(cells)
    .map(([host, row]): [string, [string, string][]] => [host, Object.entries(row).sort()])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What a board must show in the end: a fold of everything that is stored of the task. */
export async function truthOf(store: Store, taskId: string): Promise<Cells> {
  const events: StoredEvent[] = [];
  for (const head of await store.heads(taskId)) {
    let { seq } = head;
    seq = 0;
    while (seq < head.seq) {
      const slice = await store.readLog({ ...head, seq }, head.seq, { taskId }, 1_000);
      events.push(...slice.events);
      seq = slice.through;
    }
  }
  const { runs } = foldLog(events);
  return Object.fromEntries(runs.map((run) => [run.host, lettersOf(run)]));
}
