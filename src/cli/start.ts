/** `shiplog start`: for scripts that have no client of their own. */
import type { Command } from 'commander';
import { Client, withRetry } from './client.ts';
import { connectionOf } from './credentials.ts';
import { CliError } from './exit.ts';
import { StartTaskDocument } from './gen/graphql.ts';
import { type ClientOptions, clientOptions, integer, label, list } from './options.ts';
import { Output, say } from './output.ts';

interface StartOptions extends ClientOptions {
  service?: string;
  version?: string;
  environment?: string;
  title?: string;
  createdBy?: string;
  plan?: string[];
  hosts?: string[];
  expectedHosts?: number;
  label?: Record<string, string>;
}

export function registerStart(program: Command): void {
  clientOptions(
    program
      .command('start')
      .description('begin a task, or update one that has begun')
      .argument('<id>', 'id of the task')
      .option('--service <name>', 'what is deployed')
      .option('--version <version>', 'which version of it')
      .option('--environment <name>', 'where to')
      .option('--title <text>', 'for people')
      .option('--created-by <name>', 'who asked for it')
      .option('--plan <steps>', 'steps in order, separated by commas (default: the seven)', list)
      .option('--hosts <names>', 'hosts, separated by commas', list)
      .option('--expected-hosts <n>', 'how many hosts will report', integer(0, 100_000))
      .option('--label <key=value>', 'label of the task (repeatable)', label),
  ).action(start);
}

async function start(id: string, options: StartOptions): Promise<void> {
  const client = new Client(connectionOf(options));
  const { url, token, json, color, label: labels, ...said } = options;
  const input = { id, ...said, ...(labels === undefined ? {} : { labels }) };
  const { startTask } = await withRetry(() => client.query(StartTaskDocument, { input }), {
    attempts: 4,
  });
  if (json) await new Output().json(startTask);
  else say(`task ${id} ${startTask.created ? 'begun' : 'updated'}`);
  const { leftOut } = startTask;
  if (leftOut.length === 0) return;
  const names = leftOut.map(({ field, message }) => `  ${field ?? 'hosts'}: ${message}`);
  throw new CliError(`of its hosts these were left out:\n${names.join('\n')}`);
}
