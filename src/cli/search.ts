/** `shiplog search`: events that match, newest last, as a log reads. */
import type { Command } from 'commander';
import { LOG_LEVELS, type LogLevel } from '../domain/event/event.ts';
import { SEARCH_FIELDS } from '../domain/search/search.ts';
import { Client, withRetry } from './client.ts';
import { connectionOf } from './credentials.ts';
import { eventLine } from './event-line.ts';
import { CliError, EXIT } from './exit.ts';
import { day, zoneOf } from './format.ts';
import { type EventFilter, SearchDocument } from './gen/graphql.ts';
import {
  type ClientOptions,
  clientOptions,
  integer,
  list,
  pointInTime,
  someOf,
} from './options.ts';
import { Output, painter, say } from './output.ts';
import { whatIsMissing } from './task/missing.ts';

interface SearchOptions extends ClientOptions {
  task?: string;
  host?: string[];
  step?: string[];
  level?: LogLevel[];
  from?: number;
  to?: number;
  limit: number;
}

export function registerSearch(program: Command): void {
  clientOptions(
    program
      .command('search')
      .description(
        'find events: words, "a phrase", prefix*, -not, level:error host:web-* step:download',
      )
      .argument('<query...>', 'what to look for; several words must all be there')
      // A word to leave out begins like an option: `queryOf` tells them apart.
      .allowUnknownOption()
      .option('--task <id>', 'in this task')
      .option('--host <name>', 'of these hosts; a name may end in * (repeatable)', list)
      .option('--step <name>', 'of these steps (repeatable)', list)
      .option(
        '--level <level>',
        `of exactly these levels (repeatable): ${LOG_LEVELS.join(', ')}`,
        someOf(LOG_LEVELS),
      )
      .option(
        '--from <time>',
        'since: 30m, 24h, 7d or RFC 3339 (default: 24h, or all of the task)',
        pointInTime,
      )
      .option('--to <time>', 'until', pointInTime)
      .option('--limit <n>', 'at most the newest n', integer(1, 1_000), 100),
  ).action(search);
}

async function search(words: string[], options: SearchOptions): Promise<void> {
  const client = new Client(connectionOf(options));
  const filter = filterOf(queryOf(words), options);
  const call = () => client.query(SearchDocument, { filter, last: options.limit });
  const { events } = await withRetry(call, { attempts: 3 });
  const output = new Output();
  if (options.json) {
    await output.json(...events.nodes);
    return;
  }
  const paint = painter(process.stdout, options.color);
  const today = day(Date.now());
  const showDay = events.nodes.some((event) => day(event.at) !== today);
  const lines = events.nodes.map((event) =>
    eventLine(event, {
      showDay,
      paint,
      isTerminal: output.isTerminal,
      showTask: options.task === undefined,
      highlights: event.highlights,
    }),
  );
  if (lines.length > 0) await output.write(`${lines.join('\n')}\n`);
  if (lines.length > 0) {
    say(`${summary(events.nodes.length, events)} (times in ${zoneOf(Date.now())})`);
  } else say(`nothing found${await whyNothing(client, queryOf(words), options)}`);
}

/** What a person may have meant otherwise. */
async function whyNothing(client: Client, query: string, options: SearchOptions): Promise<string> {
  const fields = [...query.matchAll(/(?:^|\s)-?([a-z]+):\S/gi)].map(([, name]) => name as string);
  const unknown = fields.find((name) => !SEARCH_FIELDS.some((field) => field === name));
  if (unknown !== undefined) {
    return `: ${unknown}: is taken as a word (the fields are ${SEARCH_FIELDS.join(', ')})`;
  }
  const missing = await whatIsMissing(client, options).catch(() => null);
  if (missing !== null) return `: ${missing}`;
  if (options.task !== undefined || options.from !== undefined) return '';
  return ' in the last 24 hours (--from 30d looks further back)';
}

/** Words as they were given. A misspelt option must not be taken for one to leave out. */
function queryOf(words: readonly string[]): string {
  const option = words.find((word) => /^--./.test(word));
  if (option !== undefined) {
    throw new CliError(`search has no option ${option} (--help shows what there is)`, EXIT.usage);
  }
  return words.filter((word) => word !== '--').join(' ');
}

function filterOf(query: string, options: SearchOptions): EventFilter {
  const { task, host, step, level, from, to } = options;
  return {
    search: query,
    ...(task === undefined ? {} : { taskId: task }),
    ...(host === undefined ? {} : { hosts: host }),
    ...(step === undefined ? {} : { steps: step }),
    ...(level === undefined ? {} : { levels: level }),
    ...(from === undefined ? {} : { from: new Date(from).toISOString() }),
    ...(to === undefined ? {} : { to: new Date(to).toISOString() }),
  };
}

function summary(
  shown: number,
  found: { totalCount: number | null; totalCountIsExact: boolean },
): string {
  const { totalCount, totalCountIsExact } = found;
  if (totalCount === null || totalCount === shown) return `${shown} found`;
  return `the newest ${shown} of ${totalCountIsExact ? '' : 'more than '}${totalCount} found`;
}
