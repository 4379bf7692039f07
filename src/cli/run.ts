/**
 * `shiplog run`: a real command as a step of a task. The command comes first: whatever happens to
 * the server, the command runs as if we were not there, and its exit code is ours.
 */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { LogLevel } from '../domain/event/event.ts';
import { LIMITS } from '../domain/event/limits.ts';
import { Reason } from '../domain/failure/reason.ts';
import { makeDirectory } from '../make-directory.ts';
import { Client } from './client.ts';
import { messageOf } from './exit.ts';
import {
  type ConnectionOptions,
  connectionOptions,
  duration,
  encoding,
  integer,
  label,
  logLevel,
} from './options.ts';
import { say } from './output.ts';
import { type ChildEnd, exitCodeOf, runChild } from './run/child.ts';
import { connectionOfRun } from './run/connection.ts';
import type { Drained } from './run/drain.ts';
import { TextLines } from './run/lines.ts';
import { withRawWords } from './run/raw-words.ts';
import { type Patience, Reporter, type Undelivered } from './run/reporter.ts';

const PATIENCE: Patience = { delivering: 60_000, reached: 5_000, away: 500 };

/** Said where it is not as if we were not there. */
const LEFT_RUNNING: Record<Drained, string | null> = {
  'passed-on': null,
  'thrown-away':
    'what the command left running goes on; what it prints from now on is not kept (send its output to a file)',
  unread:
    'what the command left running has nobody to read its output, and ends when it prints (there is no cat)',
};

const DAMAGED = 'the command has an argument that is not UTF-8, and gets it changed';

interface RunOptions extends ConnectionOptions {
  task: string;
  host: string;
  step: string;
  attempt: number;
  label?: Record<string, string>;
  source: string;
  levelStdout: LogLevel;
  levelStderr: LogLevel;
  flushTimeout?: number;
  spool?: string;
  encoding?: string;
}

export function registerRun(program: Command): void {
  // No --json: stdout is the command's own.
  connectionOptions(
    program
      .command('run')
      .description(
        'run a command as a step: reports its start, output and end, mirrors its exit code',
      )
      .addOption(
        new Option('--task <id>', 'id of the task').env('SHIPLOG_TASK').makeOptionMandatory(),
      )
      .requiredOption('--step <name>', 'name of the step')
      .option('--host <name>', 'name of the host', hostname())
      .option('--attempt <n>', 'which attempt at this step', integer(1, LIMITS.attempt), 1)
      .option('--label <key=value>', 'label of the host (repeatable)', label)
      .option('--source <name>', 'who reports', 'shiplog-run')
      .option('--level-stdout <level>', 'level of lines on stdout', logLevel, 'INFO' as const)
      .option('--level-stderr <level>', 'level of lines on stderr', logLevel, 'WARN' as const)
      .option(
        '--flush-timeout <duration>',
        'how long to wait for the server after the command has ended, in all (default: 1m while it takes what it is sent, 5s while it takes nothing, 500ms where it could not be reached at all)',
        duration,
      )
      .option('--spool <dir>', 'write what could not be delivered there, for shiplog send')
      .option(
        '--encoding <name>',
        'of the output, such as gbk or windows-1251 (default: UTF-8, or UTF-16 where it begins with its mark)',
        encoding,
      )
      .argument('<command...>', 'the command and its arguments, after --')
      .passThroughOptions(),
    // An address from the environment may be none.
    (text) => text,
  ).action(run);
}

async function run(argv: string[], options: RunOptions, command: Command): Promise<void> {
  const writer = randomUUID();
  const isSetting = command.getOptionValueSource('url') === 'env';
  const connection = connectionOfRun(options, isSetting, (problem) =>
    say(`${prefixOf(options)}: ${problem}`),
  );
  const client = new Client(connection);
  const { task: taskId, host, step, attempt, source } = options;
  const reporter = new Reporter(client, { taskId, host, step, attempt, source }, writer);
  const end = await reportCommand(argv, options, reporter);

  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => stop.abort());
  }
  const { flushTimeout: told } = options;
  const patience = told === undefined ? PATIENCE : { delivering: told, reached: told, away: told };
  const left = await reporter.close(patience, stop.signal);
  await settle(left, options, writer);
  process.exitCode = exitCodeOf(end);
}

async function reportCommand(
  argv: string[],
  options: RunOptions,
  reporter: Reporter,
): Promise<ChildEnd> {
  const reason = new Reason();
  const splitter = (stream: 'STDOUT' | 'STDERR', level: LogLevel) =>
    new TextLines(
      (message) => {
        reason.add(stream, message);
        reporter.report({ message, level, stream });
      },
      { encoding: options.encoding ?? null },
    );
  const stdout = splitter('STDOUT', options.levelStdout);
  const stderr = splitter('STDERR', options.levelStderr);
  const began = performance.now();
  reporter.report({
    status: 'RUNNING',
    ...commandOf(argv),
    ...(options.label === undefined ? {} : { labels: options.label }),
  });
  const command = withRawWords(argv);
  if (command.isDamaged) say(`${prefixOf(options)}: ${DAMAGED}`);
  const end = await runChild(command.argv, {
    onStdout: (chunk) => stdout.push(chunk),
    onStderr: (chunk) => stderr.push(chunk),
    onLeftRunning(reader) {
      const what = LEFT_RUNNING[reader];
      if (what !== null) say(`${prefixOf(options)}: ${what}`);
    },
  });
  const durationMs = Math.round((performance.now() - began) * 1_000) / 1_000;
  stdout.end();
  stderr.end();
  if (end.kind === 'not-started') say(`shiplog run: ${end.message}`);
  const exitCode = exitCodeOf(end);
  const ended = { exitCode, durationMs };
  if (exitCode === 0) reporter.report({ status: 'SUCCEEDED', ...ended });
  else reporter.report({ status: 'FAILED', ...ended, error: failureOf(end, reason.text()) });
  return end;
}

/** The command as it could be typed, and its arguments exactly as given; both within the server's caps. */
function commandOf(argv: string[]) {
  const text = argv.map(quoted).join(' ').replaceAll('\0', '\ufffd');
  const command = text.length > LIMITS.command ? `${text.slice(0, LIMITS.command - 2)}…` : text;
  const params = { argv };
  const fits = Buffer.byteLength(JSON.stringify(params)) <= LIMITS.paramsBytes;
  return { command: command.toWellFormed(), params: fits ? params : { argc: argv.length } };
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** `line`: what the command said of it; empty where it said nothing. */
function failureOf(end: ChildEnd, line: string) {
  if (end.kind === 'not-started') return { code: end.reason, message: end.message };
  if (end.kind === 'signal') {
    return { code: end.signal, message: line === '' ? `ended by ${end.signal}` : cap(line) };
  }
  return { message: line === '' ? `exit code ${end.code}` : cap(line) };
}

function cap(text: string): string {
  return text.slice(0, LIMITS.errorMessage).toWellFormed();
}

function prefixOf({ host, step }: RunOptions): string {
  return `shiplog run (${host} ${step})`;
}

/** Says on stderr, and keeps in the spool, for its owner alone, what the server does not have. */
async function settle(left: Undelivered, options: RunOptions, writer: string): Promise<void> {
  const prefix = prefixOf(options);
  if (left.droppedLines > 0) {
    say(
      `${prefix}: ${left.droppedLines} lines of output were dropped: ${left.reason ?? 'the server was not fast enough'}`,
    );
  }
  for (const [problem, count] of left.rejected) {
    say(`${prefix}: the server rejected ${count === 1 ? '' : `${count} events: `}${problem}`);
  }
  if (left.events.length === 0) return;
  const what = `${left.events.length} events could not be delivered: ${left.reason}`;
  if (options.spool === undefined) {
    say(`${prefix}: ${what}`);
    return;
  }
  const name = [options.task, options.host, options.step, writer]
    .map((part) => part.replace(/[^\w.-]/g, '_').slice(0, 60))
    .join('-');
  const file = join(options.spool, `${name}.ndjson`);
  try {
    // The server redacts secrets; here they stand as they were printed.
    makeDirectory(resolve(options.spool), 0o700);
    const lines = left.events.map((event) => `${JSON.stringify(event)}\n`);
    await writeFile(file, lines.join(''), { mode: 0o600 });
    say(`${prefix}: ${what}; kept in ${file} (shiplog send --remove delivers it)`);
  } catch (error) {
    say(`${prefix}: ${what}; and the spool cannot be written: ${messageOf(error)}`);
  }
}
