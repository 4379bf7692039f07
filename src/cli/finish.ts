/** `shiplog finish`: ends a task. */
import type { Command } from 'commander';
import { TASK_STATUSES, type TaskStatus } from '../domain/event/event.ts';
import { Client, withRetry } from './client.ts';
import { connectionOf } from './credentials.ts';
import { FinishTaskDocument } from './gen/graphql.ts';
import { type ClientOptions, clientOptions, oneOf } from './options.ts';
import { Output, say } from './output.ts';

interface FinishOptions extends ClientOptions {
  status?: TaskStatus;
  message?: string;
}

const END_STATUSES = TASK_STATUSES.filter((status) => status !== 'PENDING' && status !== 'RUNNING');

export function registerFinish(program: Command): void {
  clientOptions(
    program
      .command('finish')
      .description('end a task')
      .argument('<id>', 'id of the task')
      .option(
        '--status <status>',
        'how it ended (default: what its hosts say)',
        oneOf(END_STATUSES),
      )
      .option('--message <text>', 'why, for people'),
  ).action(finish);
}

async function finish(id: string, options: FinishOptions): Promise<void> {
  const client = new Client(connectionOf(options));
  const { status, message } = options;
  const input = {
    id,
    ...(status === undefined ? {} : { status }),
    ...(message === undefined ? {} : { message }),
  };
  const { finishTask } = await withRetry(() => client.query(FinishTaskDocument, { input }), {
    attempts: 4,
  });
  if (options.json) await new Output().json(finishTask);
  else say(`task ${id} ended: ${finishTask.task.status}`);
}
