/** `shiplog send`: events from NDJSON files (a spool, an export) or stdin to the server. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { CallError, Client, type WriteResult, withRetry } from './client.ts';
import { CliError, EXIT, messageOf } from './exit.ts';
import { type ClientOptions, clientOptions, integer, resolveToken } from './options.ts';
import { Output, say } from './output.ts';

interface SendOptions extends ClientOptions {
  batch: number;
  retries: number;
}

const BATCH_BYTES = 512 * 1_024;

interface Line {
  /** `file:number`, for people. */
  place: string;
  text: string;
}

export function registerSend(program: Command): void {
  clientOptions(
    program
      .command('send')
      .description('send events from NDJSON files, or from stdin')
      .argument('[files...]', 'one event per line; - is stdin')
      .option('--batch <n>', 'events per request', integer(1, 1_000), 500)
      .option(
        '--retries <n>',
        'how often to try again while the server is busy or away',
        integer(0, 1_000),
        5,
      ),
  ).action(send);
}

async function send(files: string[], options: SendOptions): Promise<void> {
  const client = new Client({ url: options.url, token: resolveToken(options) });
  const total = { stored: 0, duplicates: 0, rejected: 0 };
  let batch: Line[] = [];
  let bytes = 0;
  const flush = async () => {
    const lines = batch;
    batch = [];
    bytes = 0;
    if (lines.length === 0) return;
    const result = await deliver(client, lines, options.retries);
    total.stored += result.stored;
    total.duplicates += result.duplicates;
    total.rejected += result.rejected;
    for (const { index, error } of result.results) {
      if (error) say(`${lines[index]?.place ?? '?'}: ${problemText(error)}`);
    }
  };
  try {
    for await (const line of linesOf(files.length === 0 ? ['-'] : files)) {
      const size = Buffer.byteLength(line.text) + 1;
      if (batch.length >= options.batch || (batch.length > 0 && bytes + size > BATCH_BYTES)) {
        await flush();
      }
      batch.push(line);
      bytes += size;
    }
    await flush();
  } finally {
    const { stored, duplicates, rejected } = total;
    if (options.json) await new Output().json(total);
    else say(`stored ${stored}, duplicates ${duplicates}, rejected ${rejected}`);
  }
  if (total.rejected > 0) process.exitCode = EXIT.failed;
}

/** Sends all of the lines, going on behind what was taken where the server stopped half-way. */
async function deliver(client: Client, lines: Line[], retries: number): Promise<WriteResult> {
  const total: WriteResult = { stored: 0, duplicates: 0, rejected: 0, results: [] };
  let sent = 0;
  const add = ({ stored, duplicates, rejected, results }: WriteResult) => {
    total.stored += stored;
    total.duplicates += duplicates;
    total.rejected += rejected;
    for (const result of results) total.results.push({ ...result, index: result.index + sent });
  };
  const call = async () => {
    try {
      add(await client.sendLines(lines.slice(sent).map((line) => line.text)));
    } catch (error) {
      if (error instanceof CallError && error.partial !== null) {
        add(error.partial);
        sent += error.partial.taken;
      }
      throw error;
    }
  };
  try {
    const onRetry = (error: CallError) => say(`${error.message}; trying again`);
    await withRetry(call, { attempts: retries + 1, onRetry });
    return total;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const place = lines[sent]?.place ?? '';
    throw new CliError(`stopped before ${place}: ${error.message}`, error.exitCode);
  }
}

function problemText({
  code,
  message,
  field,
}: {
  code: string;
  message: string;
  field: string | null;
}) {
  return field === null || message.includes(field)
    ? `${code}: ${message}`
    : `${code}: ${field}: ${message}`;
}

/** Blank lines are skipped. */
async function* linesOf(files: readonly string[]): AsyncGenerator<Line> {
  for (const file of files) {
    const input = file === '-' ? process.stdin : createReadStream(file);
    const name = file === '-' ? 'stdin' : file;
    let number = 0;
    try {
      for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
        number++;
        if (text.trim() !== '') yield { place: `${name}:${number}`, text };
      }
    } catch (error) {
      throw new CliError(`${name} cannot be read: ${messageOf(error)}`);
    }
  }
}
