/** A whole task at once: its states for a live board, and its board as one compact text. */
import type { RunState } from '../../domain/fold.ts';
import { hostsShown, MATRIX_HOSTS_MAX, stepOrder } from '../../domain/matrix.ts';
import type { TaskMatrix, TaskView } from '../../domain/views.ts';
import type { BoardSnapshot, ShardCursor } from '../store.ts';
import type { Names } from './names.ts';
import type { Hit } from './page.ts';
import type { Registered } from './registry.ts';
import type { Searcher } from './searcher.ts';
import { cellsOf, decodeCells } from './view-documents.ts';
import type { ViewReader } from './view-reader.ts';

const PAGE = 5_000;

interface RunSource {
  shiplog: { state: string };
}

export interface BoardReaderParts {
  searcher: Searcher;
  names: Names;
  views: ViewReader;
  now: () => number;
  staleAfterMs: number;
}

export class BoardReader {
  readonly #parts: BoardReaderParts;

  constructor(parts: BoardReaderParts) {
    this.#parts = parts;
  }

  /** `at`: where the views stood before anything was read. */
  async board(entry: Registered, at: ShardCursor[]): Promise<BoardSnapshot | null> {
    const { views } = this.#parts;
    const [task, hosts] = await Promise.all([
      views.taskParts([entry.taskId]),
      views.taskHosts(entry.taskId),
    ]);
    const part = task.get(entry.taskId);
    if (part === undefined) return null;
    const hits = await this.#runs<RunSource>(entry, { _source: ['shiplog.state'] });
    const runs = hits.map(({ _source }) => JSON.parse(_source?.shiplog.state ?? '{}') as RunState);
    return {
      task: { ...part.state, hosts },
      runs: runs.filter(({ position }) => position !== null),
      at,
    };
  }

  async matrix(entry: Registered, task: TaskView): Promise<TaskMatrix> {
    const { now, staleAfterMs } = this.#parts;
    const hits = await this.#runs<never>(
      entry,
      {
        _source: false,
        docvalue_fields: ['shiplog.cells'],
      },
      MATRIX_HOSTS_MAX,
    );
    const at = now();
    const hosts = hits.map(({ sort }) => String(sort[0]));
    const rows = hits.map(({ fields }) => fields?.['shiplog.cells']?.[0] as string | undefined);
    await this.#fillIn(entry, hosts, rows);
    const letters = rows.map((cells) => decodeCells(cells ?? '[]', at, staleAfterMs));
    const steps = stepOrder(
      task.plan,
      letters.flatMap((row) => [...row.keys()]),
    );
    const shown = hostsShown(steps.length);
    const cells = letters
      .slice(0, shown)
      .map((row) => steps.map((step) => row.get(step) ?? '-').join(''));
    return { steps, hosts: hosts.slice(0, shown), cells: cells.join('') };
  }

  /** Rows that are too long for a column are derived from their runs. */
  async #fillIn(
    { taskId }: Registered,
    hosts: readonly string[],
    rows: (string | undefined)[],
  ): Promise<void> {
    const missing = rows.flatMap((cells, i) => (cells === undefined ? [i] : []));
    if (missing.length === 0) return;
    const runs = await this.#parts.views.runsByKey(
      missing.map((i) => ({ taskId, host: hosts[i] as string })),
    );
    for (const [at, i] of missing.entries()) {
      const run = runs[at];
      if (run != null) rows[i] = cellsOf(run);
    }
  }

  /** The runs of a task by host: all of them, or the first. */
  async #runs<S>(
    { taskId, day }: Registered,
    body: Record<string, unknown>,
    most = Infinity,
  ): Promise<Hit<S>[]> {
    const all: Hit<S>[] = [];
    for (let after: Hit<S>['sort'] | null = null; ; ) {
      const { hits }: { hits: Hit<S>[] } = await this.#parts.searcher.one<S>({
        index: this.#parts.names.views(day),
        routing: taskId,
        body: {
          ...body,
          size: PAGE,
          track_total_hits: false,
          query: {
            bool: {
              filter: [
                { term: { 'shiplog.view': 'run' } },
                { term: { 'shiplog.task.id': taskId } },
              ],
            },
          },
          sort: [{ 'host.name': 'asc' }],
          ...(after === null ? {} : { search_after: after }),
        },
      });
      for (const hit of hits) all.push(hit);
      if (hits.length < PAGE || all.length >= most) return all;
      after = (hits.at(-1) as Hit<S>).sort;
    }
  }
}
