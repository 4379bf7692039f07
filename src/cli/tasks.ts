/** `shiplog tasks`: the newest deployments. */
import type { Command } from 'commander';
import { TASK_STATUSES, type TaskStatus } from '../domain/event/event.ts';
import { Client, withRetry } from './client.ts';
import { connectionOf } from './credentials.ts';
import { statusStyle } from './event-line.ts';
import { columns, dateTime, duration, zoneOf } from './format.ts';
import { type TaskRowFragment, TasksDocument } from './gen/graphql.ts';
import {
  type ClientOptions,
  clientOptions,
  integer,
  list,
  pointInTime,
  someOf,
} from './options.ts';
import { forTerminal, Output, painter, say } from './output.ts';
import { cut } from './width.ts';

interface TasksOptions extends ClientOptions {
  service?: string[];
  environment?: string[];
  version?: string[];
  status?: TaskStatus[];
  host?: string;
  from?: number;
  limit: number;
}

export function registerTasks(program: Command): void {
  clientOptions(
    program
      .command('tasks')
      .description('list tasks, newest first')
      .option('--service <name>', 'of these services (repeatable)', list)
      .option('--environment <name>', 'of these environments (repeatable)', list)
      .option('--version <version>', 'of these versions (repeatable)', list)
      .option(
        '--status <status>',
        `with these statuses (repeatable): ${TASK_STATUSES.join(', ')}`,
        someOf(TASK_STATUSES),
      )
      .option('--host <name>', 'that have a run on this host; may end in *')
      .option('--from <time>', 'made since: 24h, 7d or RFC 3339', pointInTime)
      .option('--limit <n>', 'how many', integer(1, 500), 20),
  ).action(tasks);
}

async function tasks(options: TasksOptions): Promise<void> {
  const client = new Client(connectionOf(options));
  const filter = {
    ...(options.service === undefined ? {} : { services: options.service }),
    ...(options.environment === undefined ? {} : { environments: options.environment }),
    ...(options.version === undefined ? {} : { versions: options.version }),
    ...(options.status === undefined ? {} : { statuses: options.status }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.from === undefined ? {} : { from: new Date(options.from).toISOString() }),
  };
  const call = () => client.query(TasksDocument, { filter, first: options.limit });
  const { tasks: page } = await withRetry(call, { attempts: 3 });
  const output = new Output();
  if (options.json) {
    await output.json(...page.nodes);
    return;
  }
  const paint = painter(process.stdout, options.color);
  const rows = columns([
    [
      'TASK',
      'STATUS',
      'SERVICE',
      'VERSION',
      'ENVIRONMENT',
      `CREATED (${zoneOf(Date.now())})`,
      'TOOK',
      'HOSTS',
    ],
    ...page.nodes.map(rowOf),
  ]);
  const lines = rows.map((cells, index) => {
    if (index === 0) return paint('dim', cells.join('  '));
    const [id, status, ...rest] = cells as [string, string, ...string[]];
    return [paint('bold', id), paint(statusStyle(status.trim()), status), ...rest].join('  ');
  });
  const width = output.columns;
  await output.write(`${lines.map((line) => cut(line, width)).join('\n')}\n`);
  if (page.nodes.length === 0) say(`no task matches${otherStatus(options)}`);
  else if (page.pageInfo.hasNextPage) say(`more than ${options.limit}: --limit shows more`);
}

/** A person who looks for failures means hosts, too. */
function otherStatus({ status }: TasksOptions): string {
  if (status?.includes('FAILED') !== true || status.includes('PARTIAL')) return '';
  return ': FAILED is a task of which no host succeeded; --status failed,partial shows those with failed hosts as well';
}

function rowOf(task: TaskRowFragment): string[] {
  const { total, succeeded, failed } = task.runCounts;
  return [
    forTerminal(task.id),
    task.status,
    cut(forTerminal(task.service ?? '–'), 30),
    cut(forTerminal(task.version ?? '–'), 30),
    cut(forTerminal(task.environment ?? '–'), 20),
    dateTime(task.createdAt),
    task.durationMs === null ? '–' : duration(task.durationMs),
    `${succeeded}/${total}${failed > 0 ? `, ${failed} failed` : ''}${task.stale ? ', stale' : ''}`,
  ];
}
