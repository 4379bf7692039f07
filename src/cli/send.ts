/** `shiplog send`: events from NDJSON files (a spool, an export) or stdin to the server. */
import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { BatchSize } from './batch-size.ts';
import { CallError, Client, type Problem, type WriteResult, withRetry } from './client.ts';
import { connectionOf } from './credentials.ts';
import { CliError, EXIT, messageOf } from './exit.ts';
import { ndjsonLines, openInput } from './ndjson.ts';
import { type ClientOptions, clientOptions, integer } from './options.ts';
import { Output, say } from './output.ts';

interface SendOptions extends ClientOptions {
  batch: number;
  retries: number;
  remove?: boolean;
}

export interface Line {
  /** `file:number`, for people. */
  place: string;
  text: string;
  bytes: number;
}

export function registerSend(program: Command): void {
  clientOptions(
    program
      .command('send')
      .description('send events from NDJSON files, or from stdin')
      .argument('[files...]', 'one event per line; - is stdin')
      .option('--batch <n>', 'events per request', integer(1, 1_000), 500)
      .option('--remove', 'remove each file when the server has all of it (a spool, for one)')
      .option(
        '--retries <n>',
        'how often to try again while the server is busy or away',
        integer(0, 1_000),
        5,
      ),
  ).action(send);
}

async function send(files: string[], options: SendOptions): Promise<void> {
  const client = new Client(connectionOf(options));
  const total = { stored: 0, duplicates: 0, rejected: 0 };
  const size = new BatchSize();
  const attempts = options.retries + 1;
  let batch: Line[] = [];
  let bytes = 0;
  const flush = async () => {
    const lines = batch;
    batch = [];
    bytes = 0;
    const onRetry = (message: string) => say(`${message}; trying again`);
    if (lines.length > 0) await deliver(client, lines, size, { attempts, onRetry }, total);
  };
  try {
    for (const file of files.length === 0 ? ['-'] : files) {
      const { rejected } = total;
      for await (const line of linesOf(file)) {
        const isFull = batch.length > 0 && bytes + line.bytes > size.bytes;
        if (batch.length >= options.batch || isFull) await flush();
        batch.push(line);
        bytes += line.bytes;
      }
      if (options.remove !== true || file === '-') continue;
      await flush();
      if (total.rejected === rejected) await rm(file);
    }
    await flush();
  } finally {
    const { stored, duplicates, rejected } = total;
    if (options.json) await new Output().json(total);
    else say(`stored ${stored}, duplicates ${duplicates}, rejected ${rejected}`);
  }
  if (total.rejected > 0) process.exitCode = EXIT.failed;
}

export interface DeliverOptions {
  /** Absent: for as long as it takes. */
  attempts?: number;
  signal?: AbortSignal;
  onRetry: (message: string) => void;
  /** Told of each line that was rejected. Absent: it is said. */
  onRejected?: (line: Line, problem: Problem) => void;
}

type Total = Pick<WriteResult, 'stored' | 'duplicates' | 'rejected'>;

/**
 * Sends all of the lines, going on behind what was taken where the server stopped half-way, and
 * by less at a time where a request was too large.
 */
export async function deliver(
  client: Client,
  lines: readonly Line[],
  size: BatchSize,
  { onRetry, onRejected = sayRejected, ...retry }: DeliverOptions,
  total: Total,
): Promise<void> {
  let sent = 0;
  const add = (result: WriteResult, taken: number) => {
    total.stored += result.stored;
    total.duplicates += result.duplicates;
    total.rejected += result.rejected;
    for (const { index, error } of result.results) {
      const line = lines[sent + index];
      if (error && line !== undefined) onRejected(line, error);
    }
    sent += taken;
  };
  const call = async () => {
    const { count, bytes } = size.fitting(lines.slice(sent).map((line) => line.bytes));
    try {
      const part = lines.slice(sent, sent + count);
      const { signal } = retry;
      const texts = part.map((line) => line.text);
      add(await client.sendLines(texts, signal === undefined ? {} : { signal }), count);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.partial !== null) add(error.partial, error.partial.taken);
      if (error.kind !== 'too-large') throw error;
      if (count > 1) size.refused(bytes);
      else {
        const { code, message } = error;
        onRejected(lines[sent] as Line, { code: code ?? 'TOO_LONG', message, field: null });
        total.rejected++;
        sent++;
      }
    }
  };
  try {
    while (sent < lines.length) {
      await withRetry(call, { ...retry, onRetry: ({ message }) => onRetry(message) });
    }
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const place = lines[sent]?.place ?? '';
    throw new CliError(`stopped before ${place}: ${error.message}`, error.exitCode, error.hint);
  }
}

function sayRejected({ place }: Line, { code, message, field }: Problem): void {
  const where = field === null || message.includes(field) ? '' : `${field}: `;
  say(`${place}: ${code}: ${where}${message}`);
}

/** Blank lines are skipped. */
async function* linesOf(file: string): AsyncGenerator<Line> {
  const name = file === '-' ? 'stdin' : file;
  try {
    for await (const { number, text } of ndjsonLines(openInput(file).chunks)) {
      const bytes = Buffer.byteLength(text) + 1;
      if (text.trim() !== '') yield { place: `${name}:${number}`, text, bytes };
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`${name} cannot be read: ${messageOf(error)}`);
  }
}
