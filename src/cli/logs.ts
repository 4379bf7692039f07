/** `shiplog logs`: all of a task's log, oldest first, however long it is. */
import type { Command } from 'commander';
import { Client, withRetry } from './client.ts';
import { connectionOf } from './credentials.ts';
import { eventLine } from './event-line.ts';
import { CliError, EXIT } from './exit.ts';
import { day, zoneOf } from './format.ts';
import {
  type EventFilter,
  type EventRowFragment,
  LogsDocument,
  LogsTaskDocument,
} from './gen/graphql.ts';
import { type ClientOptions, clientOptions, list } from './options.ts';
import { Output, painter, say } from './output.ts';

interface LogsOptions extends ClientOptions {
  host?: string[];
  step?: string[];
  failed?: boolean;
}

const FAILED = /[FT]/i;

export function registerLogs(program: Command): void {
  clientOptions(
    program
      .command('logs')
      .description('print the whole log of a task, or of some of its hosts and steps')
      .argument('<task>', 'its id')
      .option('--host <name>', 'of these hosts; a name may end in * (repeatable)', list)
      .option('--step <name>', 'of these steps (repeatable)', list)
      .option('--failed', 'of the hosts that failed, one after another'),
  ).action(logs);
}

async function logs(taskId: string, options: LogsOptions): Promise<void> {
  const client = new Client(connectionOf(options));
  const task = await askTask(client, taskId);
  if (options.failed === true && options.host !== undefined) {
    throw new CliError('--failed chooses the hosts: leave out --host', EXIT.usage);
  }
  const groups = options.failed === true ? failedHosts(task).map((host) => [host]) : [options.host];
  if (groups.length === 0) say(`no host of ${taskId} has failed`);
  const output = new Output();
  let shown = 0;
  for (const hosts of groups) {
    for await (const events of pages(client, filterOf(taskId, hosts, options.step))) {
      shown += events.length;
      await print(output, events, options);
      if (output.closed) return;
    }
  }
  if (!options.json) say(`${shown} lines (times in ${zoneOf(Date.now())})`);
}

async function askTask(client: Client, id: string) {
  const { task } = await withRetry(() => client.query(LogsTaskDocument, { id }), { attempts: 3 });
  if (task === null) throw new CliError(`no task "${id}": nothing was reported of it`, EXIT.failed);
  return task;
}

function failedHosts({
  matrix: { hosts, steps, cells },
}: {
  matrix: { hosts: string[]; steps: string[]; cells: string };
}): string[] {
  return hosts.filter((_, row) =>
    FAILED.test(cells.slice(row * steps.length, (row + 1) * steps.length)),
  );
}

function filterOf(
  taskId: string,
  hosts: readonly string[] | undefined,
  steps: readonly string[] | undefined,
): EventFilter {
  return {
    taskId,
    ...(hosts === undefined ? {} : { hosts: [...hosts] }),
    ...(steps === undefined ? {} : { steps: [...steps] }),
  };
}

/** One page is in memory at a time. */
async function* pages(client: Client, filter: EventFilter): AsyncGenerator<EventRowFragment[]> {
  let after: string | null = null;
  for (;;) {
    const variables: { filter: EventFilter; after: string | null } = { filter, after };
    const call = () => client.query(LogsDocument, variables);
    const { events } = await withRetry(call, { attempts: 5 });
    if (events.nodes.length > 0) yield events.nodes;
    after = events.pageInfo.endCursor;
    if (!events.pageInfo.hasNextPage || after === null) return;
  }
}

async function print(
  output: Output,
  events: EventRowFragment[],
  options: LogsOptions,
): Promise<void> {
  if (options.json) {
    await output.json(...events);
    return;
  }
  const paint = painter(process.stdout, options.color);
  const today = day(Date.now());
  const showDay = events.some((event) => day(event.at) !== today);
  const { isTerminal } = output;
  const lines = events.map((event) =>
    eventLine(event, { paint, isTerminal, showTask: false, showDay }),
  );
  await output.write(`${lines.join('\n')}\n`);
}
