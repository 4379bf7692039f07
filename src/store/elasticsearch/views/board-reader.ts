/** A whole task at once: its states for a live board, and its board as one compact text. */

import type { PageKey } from '../../../domain/cursor/page.ts';
import {
  hostsShown,
  MATRIX_HOSTS_MAX,
  MatrixWeight,
  stepOrder,
} from '../../../domain/fold/board-bounds.ts';
import type { RunView, TaskMatrix, TaskView } from '../../../domain/fold/views.ts';
import type { BoardSnapshot, ShardCursor } from '../../store.ts';
import type { Search, Searcher } from '../cluster/searcher.ts';
import { type Names, shardPreference } from '../indices/names.ts';
import type { Registered } from '../indices/task-registry.ts';
import type { HeldRuns } from '../keeper/held-runs.ts';
import type { SetAside } from '../keeper/set-aside.ts';
import { runStateOf, understood } from '../keeper/stored-states.ts';
import { cellsOf, decodeCells } from '../keeper/view-documents.ts';
import type { Hit } from '../query/page.ts';
import { runsOf } from './derived-runs.ts';
import type { ViewReader } from './view-reader.ts';

const PAGE = 5_000;
/** Boards whose first pages are asked for in one request: together they are in memory. */
const TASKS_AT_ONCE = 20;
/** Runs whose rows are too long for a column: each has hundreds of steps. */
const LONG_AT_ONCE = 200;

interface RunSource {
  host: { name: string };
  shiplog: { state: string };
}

/** A board that is asked for; `whole`: as it is in memory, where searches do not show that yet. */
interface Asked {
  entry: Registered;
  task: TaskView;
  whole: HeldRuns | null;
}

interface Rows {
  hosts: string[];
  /** The cells of each host, as they are stored. */
  rows: (string | undefined)[];
}

const CELLS = { _source: false, docvalue_fields: ['shiplog.cells'] };

export interface BoardReaderParts {
  searcher: Searcher;
  names: Names;
  views: ViewReader;
  now: () => number;
  staleAfterMs: number;
  aside: SetAside;
}

export class BoardReader {
  readonly #parts: BoardReaderParts;

  constructor(parts: BoardReaderParts) {
    this.#parts = parts;
  }

  /**
   * `at`: where the views stood before anything was read. null also where some of it cannot be
   * understood: then whoever follows the task folds it from the log.
   */
  async board(entry: Registered, at: ShardCursor[]): Promise<BoardSnapshot | null> {
    const { views } = this.#parts;
    const [task, hosts] = await Promise.all([
      views.taskParts([entry.taskId]),
      views.taskHosts(entry.taskId),
    ]);
    const part = task.get(entry.taskId);
    if (part === undefined) return null;
    const body = { _source: ['shiplog.state', 'host.name'] };
    const first = await this.#parts.searcher.one<RunSource>(this.#runsSearch(entry, body, null));
    const hits = await this.#allRuns(entry, body, first.hits);
    const runs = hits.map(({ _source }) => {
      const { host, shiplog } = _source as RunSource;
      const what = { taskId: entry.taskId, host: host.name };
      return understood(this.#parts.aside, what, () => runStateOf(shiplog.state));
    });
    const whole = runs.filter((run) => run !== null);
    if (whole.length < runs.length) return null;
    return {
      task: { ...part.state, hosts },
      runs: whole.filter(({ position }) => position !== null),
      at,
    };
  }

  /** In the order of the boards that are asked for, some tasks in each request. */
  async matrices(boards: readonly Asked[]): Promise<TaskMatrix[]> {
    const found: TaskMatrix[] = [];
    const weight = new MatrixWeight();
    for (let from = 0; from < boards.length; from += TASKS_AT_ONCE) {
      const some = boards.slice(from, from + TASKS_AT_ONCE);
      const searched = some.filter(({ whole }) => whole === null);
      const answers = await this.#parts.searcher.search<never>(
        searched.map(({ entry }) => this.#runsSearch(entry, CELLS, null)),
      );
      const first = new Map(searched.map(({ entry }, i) => [entry.taskId, answers[i]?.hits ?? []]));
      for (const board of some) {
        const { entry, task, whole } = board;
        const { hosts, rows } =
          whole === null
            ? await this.#storedRows(entry, first.get(entry.taskId) ?? [])
            : rowsOf(await runsOf(whole));
        const matrix = this.#matrix(task, hosts, rows);
        weight.add(matrix);
        found.push(matrix);
      }
    }
    return found;
  }

  async #storedRows(entry: Registered, first: readonly Hit<never>[]): Promise<Rows> {
    const hits = await this.#allRuns(entry, CELLS, first, MATRIX_HOSTS_MAX);
    const hosts = hits.map(({ sort }) => String(sort[0]));
    const rows = hits.map(({ fields }) => fields?.['shiplog.cells']?.[0] as string | undefined);
    await this.#fillIn(entry, hosts, rows);
    return { hosts, rows };
  }

  #matrix(task: TaskView, hosts: readonly string[], rows: Rows['rows']): TaskMatrix {
    const { now, staleAfterMs } = this.#parts;
    const at = now();
    const letters = rows.map((cells) => decodeCells(cells ?? '[]', at, staleAfterMs));
    const names = new Set<string>();
    for (const row of letters) for (const name of row.keys()) names.add(name);
    const steps = stepOrder(task.plan, names);
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
    for (let from = 0; from < missing.length; from += LONG_AT_ONCE) {
      const some = missing.slice(from, from + LONG_AT_ONCE);
      const runs = await this.#parts.views.runsByKey(
        some.map((i) => ({ taskId, host: hosts[i] as string })),
      );
      for (const [at, i] of some.entries()) {
        const run = runs[at];
        if (run != null) rows[i] = cellsOf(run);
      }
    }
  }

  #runsSearch({ taskId, day, shard }: Registered, body: object, after: PageKey | null): Search {
    const filter = [{ term: { 'shiplog.view': 'run' } }, { term: { 'shiplog.task.id': taskId } }];
    return {
      index: this.#parts.names.views(day),
      ...(shard === null ? {} : { preference: shardPreference(shard) }),
      body: {
        ...body,
        size: PAGE,
        track_total_hits: false,
        query: { bool: { filter } },
        sort: [{ 'host.name': 'asc' }],
        ...(after === null ? {} : { search_after: after }),
      },
    };
  }

  /** The runs of a task by host, of which the first page is there: all of them, or the first. */
  async #allRuns<S>(
    entry: Registered,
    body: object,
    first: readonly Hit<S>[],
    most = Infinity,
  ): Promise<Hit<S>[]> {
    const all = [...first];
    for (let page = first; page.length === PAGE && all.length < most; ) {
      const after = (page.at(-1) as Hit<S>).sort;
      page = (await this.#parts.searcher.one<S>(this.#runsSearch(entry, body, after))).hits;
      for (const hit of page) all.push(hit);
    }
    return all;
  }
}

function rowsOf(runs: readonly RunView[]): Rows {
  return { hosts: runs.map(({ host }) => host), rows: runs.map(cellsOf) };
}
