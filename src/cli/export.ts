/** `shiplog export`: the log as NDJSON, which `shiplog import` and `shiplog send` take back. */
import { hash } from 'node:crypto';
import type { Command } from 'commander';
import { Client } from './client.ts';
import { connectionOf } from './credentials.ts';
import { CliError, EXIT } from './exit.ts';
import { EventFile } from './export/event-file.ts';
import { eventInput } from './export/event-input.ts';
import { type LogPage, type Place, type Selection, START, TaskLog } from './export/task-log.ts';
import { untilInterrupted } from './interrupt.ts';
import { type ConnectionOptions, connectionOptions, list, pointInTime } from './options.ts';
import { Output, say } from './output.ts';
import { Progress } from './progress.ts';

interface ExportOptions extends ConnectionOptions {
  output?: string;
  after?: string;
  task?: string[];
  host?: string[];
  step?: string[];
  since?: number;
  until?: number;
}

/** What is written at a time: a kill loses so much at most, and it is read again. */
const PIECE_CHARACTERS = 1_024 * 1_024;

export function registerExport(program: Command): void {
  connectionOptions(
    program
      .command('export')
      .description('write the log as NDJSON, for import and send (docs/senders/import.md)')
      .option('-o, --output <file>', 'into this file, gzipped if it ends in .gz (default: stdout)')
      .option('--task <id>', 'of these tasks (repeatable)', list)
      .option('--host <name>', 'of these hosts; a name may end in * (repeatable)', list)
      .option('--step <name>', 'of these steps (repeatable)', list)
      .option('--since <time>', 'events from then on, by their own time', pointInTime)
      .option('--until <time>', 'events before then', pointInTime)
      .option('--after <cursor>', 'go on after what an interrupted export to stdout had'),
  ).action(run);
}

async function run(options: ExportOptions): Promise<void> {
  const client = new Client(connectionOf(options));
  const output = new Output();
  const selection = selectionOf(options);
  const { interrupted } = await untilInterrupted(output, async (signal) => {
    const log = new TaskLog(client, selection, signal);
    const end = new Promise<null>((resolve) => {
      signal.addEventListener('abort', () => resolve(null));
    });
    if (options.output === undefined) await toStdout(log, output, placeOf(options.after), end);
    else if (options.after === undefined) {
      await toFile(log, options.output, nameOf(selection, options.url), end);
    } else throw new CliError('--output keeps its place itself: leave out --after', EXIT.usage);
  });
  if (interrupted) process.exitCode = EXIT.interrupted;
}

function selectionOf({ task, host, step, since, until }: ExportOptions): Selection {
  return {
    tasks: task === undefined ? null : [...new Set(task)],
    hosts: host ?? null,
    steps: step ?? null,
    since: since ?? null,
    until: until ?? null,
  };
}

/** `since` of a duration before now is another moment each time, and means the same. */
function nameOf({ since, until, ...rest }: Selection, url: string): string {
  const times = [since !== null, until !== null];
  return hash('sha256', JSON.stringify([url, rest, times]), 'base64url').slice(0, 22);
}

function linesOf({ events }: LogPage): string {
  return events.map((event) => `${JSON.stringify(eventInput(event))}\n`).join('');
}

async function toStdout(
  log: TaskLog,
  output: Output,
  from: Place,
  end: Promise<null>,
): Promise<void> {
  let place = from;
  let events = 0;
  const pages = log.pages(from);
  try {
    for (;;) {
      const page = await Promise.race([pages.next(), end]);
      if (page === null) break;
      if (page.done === true) {
        say(`${events.toLocaleString('en')} events`);
        return;
      }
      if (!(await output.write(linesOf(page.value)))) break;
      events += page.value.events.length;
      place = page.value.place;
    }
  } catch (error) {
    if (place !== START) say(`to go on from here: --after ${cursorOf(place)}`);
    throw error;
  }
  say(
    `stopped after ${events.toLocaleString('en')} events; to go on from here: --after ${cursorOf(place)}`,
  );
}

async function toFile(log: TaskLog, path: string, of: string, end: Promise<null>): Promise<void> {
  const { file, standing } = await EventFile.open(path, of);
  let events = standing?.events ?? 0;
  if (standing !== null) say(`${path} goes on after ${events.toLocaleString('en')} events`);
  const progress = new Progress({ total: null, done: events, unit: 'events' });
  const pages = log.pages(standing === null ? START : placeOf(standing.cursor));
  let piece = '';
  let place = START;
  let isWhole = false;
  const write = async (): Promise<void> => {
    if (piece !== '') await file.append(piece, events, cursorOf(place));
    piece = '';
  };
  try {
    for (;;) {
      const page = await Promise.race([pages.next(), end]);
      isWhole = page?.done === true;
      if (page === null || page.done === true) break;
      piece += linesOf(page.value);
      events += page.value.events.length;
      place = page.value.place;
      progress.advance(page.value.events.length, '');
      if (piece.length >= PIECE_CHARACTERS) await write();
    }
    await write();
    if (isWhole) await file.finish();
  } finally {
    progress.clear();
    await file.close();
    say(`${events.toLocaleString('en')} events in ${path}`);
    if (!isWhole) say('the same command goes on from here');
  }
}

function cursorOf(place: Place): string {
  return Buffer.from(JSON.stringify([1, place.task, place.part, place.event])).toString(
    'base64url',
  );
}

function placeOf(cursor: string | undefined): Place {
  if (cursor === undefined) return START;
  try {
    const parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [
      number,
      Place['task'],
      Place['part'],
      Place['event'],
    ];
    const [version, task, part, event] = parsed;
    if (version === 1) return { task, part, event };
  } catch {
    // Said below.
  }
  throw new CliError('--after is no cursor of shiplog export', EXIT.usage);
}
