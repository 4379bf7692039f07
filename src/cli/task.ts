/** `shiplog task`: the board of one task, once or live. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { type CallError, Client, withRetry } from './client.ts';
import { connectionOf } from './credentials.ts';
import { CliError, EXIT } from './exit.ts';
import { TaskBoardDocument, type TaskBoardFragment, TaskChangedDocument } from './gen/graphql.ts';
import { type ClientOptions, clientOptions, integer } from './options.ts';
import { Output, painter, say } from './output.ts';
import { boardLines } from './task/board.ts';
import { cut, widthOf } from './width.ts';

export interface TaskOptions extends ClientOptions {
  watch?: boolean;
  failed?: boolean;
  exitStatus?: boolean;
  lines: number;
  rows?: number;
}

/** Between two drawings: as fast as an eye can use, and kind to the server. */
const REDRAW_MS = 500;
const DEFAULT_ROWS = 40;

export function registerTask(program: Command): void {
  clientOptions(
    program
      .command('task')
      .description('the board of a task: steps, hosts, and what failed with its last lines')
      .argument('<id>', 'id of the task')
      .option('--watch', 'follow it until it ends')
      .option('--failed', 'only hosts that failed')
      .option('--exit-status', 'exit 1 if the task ended in any way but success')
      .option('--lines <n>', 'last lines of each kind of failure', integer(0, 100), 5)
      .option('--rows <n>', 'at most so many rows of hosts', integer(1, 10_000)),
  ).action(task);
}

async function task(id: string, options: TaskOptions): Promise<void> {
  const client = new Client(connectionOf(options));
  const screen = new Screen(options);
  const board = options.watch
    ? await watch(client, id, options, screen)
    : await load(client, id, options);
  if (board === null) return;
  await screen.draw(board, true);
  if (options.exitStatus && hasEnded(board.status) && board.status !== 'SUCCEEDED') {
    process.exitCode = EXIT.failed;
  }
}

async function load(client: Client, id: string, options: TaskOptions): Promise<TaskBoardFragment> {
  const board = await find(client, id, options);
  if (board === null) throw new CliError(`there is no task ${id}`);
  return board;
}

async function find(
  client: Client,
  id: string,
  options: TaskOptions,
): Promise<TaskBoardFragment | null> {
  const call = () => client.query(TaskBoardDocument, { id, lines: options.lines });
  const { task: board } = await withRetry(call, { attempts: 3 });
  return board;
}

function hasEnded(status: TaskBoardFragment['status']): boolean {
  return status !== 'PENDING' && status !== 'RUNNING';
}

/** The board when the task has ended; null if the reader went away. */
async function watch(
  client: Client,
  id: string,
  options: TaskOptions,
  screen: Screen,
): Promise<TaskBoardFragment | null> {
  const stop = new AbortController();
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted = true;
      stop.abort();
    });
  }
  screen.output.onClosed(() => stop.abort());
  try {
    const board = await watchUntilEnd(client, id, options, screen, stop.signal);
    if (interrupted) throw new CliError('interrupted', EXIT.interrupted);
    return board;
  } finally {
    stop.abort();
  }
}

async function watchUntilEnd(
  client: Client,
  id: string,
  options: TaskOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<TaskBoardFragment | null> {
  // Loaded on demand: one look at a board needs no websocket.
  const { live } = await import('./live.ts');
  let board = await find(client, id, options);
  if (board === null) say(`task ${id} has not begun; waiting for it`);
  let drawnAt = 0;
  const changes = live(TaskChangedDocument, {
    connection: client.connection,
    variables: () => ({ id }),
    signal,
    retry: true,
    onState: ({ connected, reason }) =>
      screen.note(connected ? 'connected again' : `${reason}; trying again`),
  });
  for await (const { taskChanged } of latestOnly(changes, signal)) {
    const early = drawnAt + REDRAW_MS - performance.now();
    if (early > 0 && !hasEnded(taskChanged.status)) {
      await wait(early, undefined, { signal }).catch(() => {});
    }
    if (signal.aborted) return null;
    board = await load(client, id, options).catch((error: CallError) => {
      if (!error.isTemporary) throw error;
      return board;
    });
    drawnAt = performance.now();
    if (board === null) continue;
    if (hasEnded(board.status)) return board;
    await screen.draw(board, false);
  }
  return null;
}

/** Changes that came while the last one was drawn are one change. */
async function* latestOnly<T>(source: AsyncIterator<T>, signal: AbortSignal): AsyncGenerator<T> {
  let newest: T | undefined;
  let ended = false;
  let failure: unknown = null;
  let notify = () => {};
  void (async () => {
    try {
      for (let next = await source.next(); next.done !== true; next = await source.next()) {
        newest = next.value;
        notify();
      }
    } catch (error) {
      failure = error;
    }
    ended = true;
    notify();
  })();
  while (!signal.aborted) {
    if (newest !== undefined) {
      const value = newest;
      newest = undefined;
      yield value;
    } else if (failure !== null) throw failure;
    else if (ended) return;
    else {
      await new Promise<void>((resolve) => {
        notify = resolve;
      });
    }
  }
}

/** Draws over the last drawing on a terminal; elsewhere only the end is drawn. */
export class Screen {
  readonly output: Output;
  readonly #options: TaskOptions;
  readonly #notesShare: boolean;
  readonly #paint;
  /** Lines on the terminal since the beginning of the last drawing. */
  #drawn = 0;
  #lastStatus: string | null = null;

  /** notesShare: stderr is on the same terminal, so that what is said comes below a drawing. */
  constructor(
    options: TaskOptions,
    output = new Output(),
    notesShare = process.stderr.isTTY === true,
  ) {
    this.#options = options;
    this.output = output;
    this.#notesShare = notesShare && output.isTerminal;
    this.#paint = painter(process.stdout, options.color);
  }

  /** Says something in between; the next drawing goes over that, too. */
  note(text: string): void {
    say(text);
    if (!this.#notesShare || this.#drawn === 0) return;
    this.#drawn += Math.max(1, Math.ceil(widthOf(text) / this.output.columns));
  }

  async draw(task: TaskBoardFragment, isLast: boolean): Promise<void> {
    const { output } = this;
    if (this.#options.json) {
      await output.json(task);
      return;
    }
    if (!isLast && !output.isTerminal) {
      const { total, succeeded, failed } = task.runCounts;
      const status = `${task.status}: ${succeeded} of ${total} hosts succeeded, ${failed} failed`;
      if (status !== this.#lastStatus) say(status);
      this.#lastStatus = status;
      return;
    }
    const width = output.columns;
    const lines = boardLines(task, {
      paint: this.#paint,
      width,
      rows: this.#options.rows ?? DEFAULT_ROWS,
      failedOnly: this.#options.failed === true,
    });
    // While it is redrawn it must fit the screen: what has scrolled away cannot be drawn over.
    const fit = output.isTerminal ? lines.map((line) => cut(line, width)) : lines;
    const shown = isLast || output.rows === null ? fit : fit.slice(0, output.rows - 1);
    const back = this.#drawn > 0 ? `\x1b[${this.#drawn}A\x1b[0J` : '';
    await output.write(`${back}${shown.join('\n')}\n`);
    this.#drawn = shown.length;
  }
}
