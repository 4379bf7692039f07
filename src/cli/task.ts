/** `shiplog task`: the board of one task, once or live. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { Signal } from '../signal.ts';
import { Client, withRetry } from './client.ts';
import { connectionOf } from './credentials.ts';
import { CliError, EXIT } from './exit.ts';
import { TaskBoardDocument, type TaskBoardFragment, TaskChangedDocument } from './gen/graphql.ts';
import { untilInterrupted } from './interrupt.ts';
import { type ClientOptions, clientOptions, integer } from './options.ts';
import { say } from './output.ts';
import { Screen } from './task/screen.ts';

export interface TaskOptions extends ClientOptions {
  watch?: boolean;
  failed?: boolean;
  exitStatus?: boolean;
  lines: number;
  rows?: number;
  hostsOnly?: boolean;
}

/** Between two drawings: as fast as an eye can use, and kind to the server. */
const REDRAW_MS = 500;
/** How often the clock of a board goes on. */
const TICK_MS = 1_000;

export function registerTask(program: Command): void {
  clientOptions(
    program
      .command('task')
      .description('the board of a task: steps, hosts, and what failed with its last lines')
      .argument('<id>', 'id of the task')
      .option('--watch', 'follow it until it ends')
      .option('--failed', 'only hosts that failed')
      .option(
        '--hosts-only',
        'print the names of its hosts, one a line (with --failed: for a retry)',
      )
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
  if (options.hostsOnly === true) await screen.hosts(board);
  else await screen.draw(board, true);
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
  const { result, interrupted } = await untilInterrupted(screen.output, (signal) =>
    watchUntilEnd(client, id, options, screen, signal),
  );
  if (interrupted) throw new CliError('interrupted', EXIT.interrupted);
  return result;
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
  else if (screen.isLive && !hasEnded(board.status)) await screen.draw(board, false);
  let drawnAt = performance.now();
  const away = (reason: string) => screen.disconnected(reason);
  const changes = live(TaskChangedDocument, {
    connection: client.connection,
    variables: () => ({ id }),
    signal,
    retry: true,
    onState: ({ connected, reason }) => {
      // Connected again is the board when it has been loaded again.
      if (!connected) away(reason);
    },
  });
  const ticking = setInterval(() => void screen.tick(), TICK_MS);
  try {
    for await (const { taskChanged } of latestOnly(changes, signal)) {
      const early = drawnAt + REDRAW_MS - performance.now();
      if (early > 0 && !hasEnded(taskChanged.status)) {
        await wait(early, undefined, { signal }).catch(() => {});
      }
      board = await loadAgain(client, id, options, signal, away);
      if (signal.aborted) return null;
      screen.connected();
      drawnAt = performance.now();
      if (board === null) continue;
      if (hasEnded(board.status)) return board;
      await screen.draw(board, false);
    }
    return null;
  } finally {
    clearInterval(ticking);
  }
}

/** As often as it takes; null once the signal is aborted. */
async function loadAgain(
  client: Client,
  id: string,
  { lines }: TaskOptions,
  signal: AbortSignal,
  away: (reason: string) => void,
): Promise<TaskBoardFragment | null> {
  const call = () => client.query(TaskBoardDocument, { id, lines }, { signal });
  try {
    const { task: board } = await withRetry(call, {
      signal,
      onRetry: (error) => away(error.message),
    });
    return board;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

/** Changes that came while the last one was drawn are one change. */
async function* latestOnly<T>(source: AsyncIterator<T>, signal: AbortSignal): AsyncGenerator<T> {
  let newest: T | undefined;
  let ended = false;
  let failure: unknown = null;
  const news = new Signal();
  void (async () => {
    try {
      for (let next = await source.next(); next.done !== true; next = await source.next()) {
        newest = next.value;
        news.wake();
      }
    } catch (error) {
      failure = error;
    }
    ended = true;
    news.wake();
  })();
  while (!signal.aborted) {
    if (newest !== undefined) {
      const value = newest;
      newest = undefined;
      yield value;
    } else if (failure !== null) throw failure;
    else if (ended) return;
    else await news.wait();
  }
}
