/**
 * `shiplog tail`: events as they become durable, each once, over any interruption. The cursor
 * moves only behind what was printed, so a later call with the same --cursor-file goes on exactly.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { LOG_LEVELS, type LogLevel } from '../domain/event/event.ts';
import { CallError, Client } from './client.ts';
import { connectionOf } from './credentials.ts';
import { eventLine } from './event-line.ts';
import { CliError, EXIT, messageOf } from './exit.ts';
import { day } from './format.ts';
import {
  type EventFilter,
  type TailBatchFragment,
  TailDocument,
  TaskChangedDocument,
} from './gen/graphql.ts';
import { untilInterrupted } from './interrupt.ts';
import { type ClientOptions, clientOptions, integer, list, logLevel, someOf } from './options.ts';
import { Output, painter, say } from './output.ts';
import { whatIsMissing } from './task/missing.ts';

interface TailOptions extends ClientOptions {
  task?: string;
  host?: string[];
  step?: string[];
  service?: string[];
  environment?: string[];
  level?: LogLevel[];
  minLevel?: LogLevel;
  search?: string;
  last?: number;
  after?: string;
  cursorFile?: string;
  untilTaskEnds?: boolean;
  retry: boolean;
}

export function registerTail(program: Command): void {
  clientOptions(
    program
      .command('tail')
      .description('follow events live; resumes exactly after any interruption')
      .option('--task <id>', 'of this task')
      .option('--host <name>', 'of these hosts; a name may end in * (repeatable)', list)
      .option('--step <name>', 'of these steps (repeatable)', list)
      .option('--service <name>', 'of these services (repeatable)', list)
      .option('--environment <name>', 'of these environments (repeatable)', list)
      .option(
        '--level <level>',
        `of exactly these levels (repeatable): ${LOG_LEVELS.join(', ')}`,
        someOf(LOG_LEVELS),
      )
      .option('--min-level <level>', 'of this level or above', logLevel)
      .option('--search <query>', 'that match a search')
      .option('--last <n>', 'begin with the newest n that are stored', integer(0, 1_000))
      .option('--after <cursor>', 'go on after this cursor')
      .option('--cursor-file <file>', 'go on after the cursor in this file, and keep it there')
      .option('--until-task-ends', 'end when the task has ended and everything was shown')
      .option('--no-retry', 'end when the server is away, instead of waiting for it'),
  ).action(tail);
}

async function tail(options: TailOptions): Promise<void> {
  if (options.untilTaskEnds && options.task === undefined) {
    throw new CliError('--until-task-ends needs --task', EXIT.usage);
  }
  const stored = await readCursor(options.cursorFile);
  const printer = new Printer(options, options.after ?? stored);
  try {
    const { interrupted } = await untilInterrupted(printer.output, (signal) =>
      follow(options, printer, signal),
    );
    if (interrupted) process.exitCode = EXIT.interrupted;
  } catch (error) {
    if (!(error instanceof CallError) || !error.code?.startsWith('CURSOR_')) throw error;
    const { after, cursorFile } = options;
    const place = after === undefined ? `--cursor-file ${cursorFile}` : '--after';
    throw new CliError(`${place}: ${error.message}`, error.exitCode);
  }
}

/** Until the signal, or until the task has ended and the tail has caught up behind that. */
async function follow(options: TailOptions, printer: Printer, signal: AbortSignal): Promise<void> {
  // Loaded on demand: the other commands need no websocket.
  const { live } = await import('./live.ts');
  const connection = connectionOf(options);
  void sayWhatIsMissing(options, signal);
  const filter = filterOf(options);
  const subscribe = (until: AbortSignal) =>
    live(TailDocument, {
      connection,
      variables: () => printer.position(filter, options.last),
      signal: until,
      retry: options.retry,
      onState: ({ connected, reason }) =>
        say(connected ? 'connected again' : `${reason}; trying again`),
    });
  if (!options.untilTaskEnds) {
    for await (const { tail: batch } of subscribe(signal)) await printer.print(batch);
    return;
  }
  const ended = new AbortController();
  let failure: unknown = null;
  const watching = watchEnd(options, ended, signal).catch((error: unknown) => {
    failure = error;
  });
  const either = AbortSignal.any([signal, ended.signal]);
  for await (const { tail: batch } of subscribe(either)) await printer.print(batch);
  if (!signal.aborted) await watching;
  if (failure !== null) throw failure;
  await printRest(subscribe, printer, signal);
}

/** A misspelt name would be waited for in silence. */
async function sayWhatIsMissing(options: TailOptions, signal: AbortSignal): Promise<void> {
  if (options.task === undefined) return;
  try {
    const missing = await whatIsMissing(new Client(connectionOf(options)), options, signal);
    if (missing !== null && !signal.aborted) say(`${missing}; waiting for it`);
  } catch {
    // Where that cannot be asked, the tail itself says why.
  }
}

/** Quiet for so long after a batch: a new subscription is quicker than the heartbeat. */
const QUIET_MS = 250;

/** All that was durable when this began comes before the first "caught up" of a new tail. */
async function printRest(
  subscribe: (until: AbortSignal) => AsyncIterable<{ tail: TailBatchFragment }>,
  printer: Printer,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const quiet = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    for await (const { tail: batch } of subscribe(AbortSignal.any([signal, quiet.signal]))) {
      clearTimeout(timer);
      await printer.print(batch);
      if (batch.caughtUp) return;
      timer = setTimeout(() => quiet.abort(), QUIET_MS);
    }
    clearTimeout(timer);
  }
}

async function watchEnd(
  options: TailOptions,
  ended: AbortController,
  signal: AbortSignal,
): Promise<void> {
  const { live } = await import('./live.ts');
  const connection = connectionOf(options);
  const variables = () => ({ id: options.task as string });
  try {
    for await (const { taskChanged } of live(TaskChangedDocument, {
      connection,
      variables,
      signal,
      retry: options.retry,
    })) {
      if (taskChanged.status !== 'PENDING' && taskChanged.status !== 'RUNNING') return;
    }
  } finally {
    ended.abort();
  }
}

function filterOf(options: TailOptions): EventFilter {
  const { task, host, step, service, environment, level, minLevel, search } = options;
  return {
    ...(task === undefined ? {} : { taskId: task }),
    ...(host === undefined ? {} : { hosts: host }),
    ...(step === undefined ? {} : { steps: step }),
    ...(service === undefined ? {} : { services: service }),
    ...(environment === undefined ? {} : { environments: environment }),
    ...(level === undefined ? {} : { levels: level }),
    ...(minLevel === undefined ? {} : { minLevel }),
    ...(search === undefined ? {} : { search }),
  };
}

class Printer {
  readonly output = new Output();
  readonly #options: TailOptions;
  readonly #paint;
  #cursor: string | null;
  #written: string | null = null;

  constructor(options: TailOptions, cursor: string | null) {
    this.#options = options;
    this.#paint = painter(process.stdout, options.color);
    this.#cursor = cursor;
  }

  /** Where a new connection goes on. */
  position(filter: EventFilter, last: number | undefined) {
    if (this.#cursor !== null) return { filter, after: this.#cursor };
    return last === undefined ? { filter } : { filter, last };
  }

  async print({ events, cursor, gap }: TailBatchFragment): Promise<void> {
    if (gap !== null) {
      const range = [gap.from && `from ${gap.from}`, gap.to && `to ${gap.to}`].filter(Boolean);
      say(`gap: ${[gap.reason, ...range].join(' ')}`);
    }
    if (events.length > 0) {
      const text = this.#options.json
        ? events.map((event) => JSON.stringify(event))
        : events.map((event) =>
            eventLine(event, {
              paint: this.#paint,
              isTerminal: this.output.isTerminal,
              showTask: this.#options.task === undefined,
              showDay: day(event.at) !== day(Date.now()),
            }),
          );
      // Not printed is not seen: the cursor stays before it.
      if (!(await this.output.write(`${text.join('\n')}\n`))) return;
    }
    this.#cursor = cursor;
    const file = this.#options.cursorFile;
    if (file === undefined || cursor === this.#written) return;
    await writeCursor(file, cursor);
    this.#written = cursor;
  }
}

async function readCursor(file: string | undefined): Promise<string | null> {
  if (file === undefined) return null;
  try {
    const text = (await readFile(file, 'utf8')).trim();
    return text === '' ? null : text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CliError(`--cursor-file cannot be read: ${messageOf(error)}`);
  }
}

/** By a rename, so that an interruption leaves the old cursor or the new one. */
async function writeCursor(file: string, cursor: string): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(draft, `${cursor}\n`);
    await rename(draft, file);
  } catch (error) {
    throw new CliError(`--cursor-file cannot be written: ${messageOf(error)}`);
  }
}
