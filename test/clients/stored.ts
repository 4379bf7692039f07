/** What the server holds of a task, for tests that count. */
import { setTimeout as pause } from 'node:timers/promises';

export interface StoredEvent {
  eventId: string;
  writer: string | null;
  sequence: number | null;
  status: string | null;
  level: string | null;
  message: string | null;
}

export interface StoredTask {
  status: string;
  service: string | null;
  run: {
    completeness: { complete: boolean | null; received: number };
    step: { status: string; exitCode: number | null; error: { message: string } | null } | null;
  } | null;
  events: StoredEvent[];
}

const TASK = `query ($id: ID!, $host: String!) {
  task(id: $id) {
    status service
    run(host: $host) {
      completeness { complete received }
      step(name: "download") { status exitCode error { message } }
    }
  }
}`;
const EVENTS = `query ($filter: EventFilter!, $after: String) {
  events(filter: $filter, order: LOG, first: 1000, after: $after) {
    nodes { eventId writer sequence status level message }
    pageInfo { hasNextPage endCursor }
  }
}`;

export interface Server {
  url: string;
  token?: string;
}

async function ask<T>({ url, token }: Server, query: string, variables: object): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as { data: T; errors?: { message: string }[] };
  if (answer.errors !== undefined) throw new Error(answer.errors[0]?.message);
  return answer.data;
}

/** Null: the server knows of none. */
export async function storedTask(
  server: Server,
  id: string,
  host: string,
): Promise<StoredTask | null> {
  const variables = { id, host };
  const { task } = await ask<{ task: StoredTask | null }>(server, TASK, variables);
  if (task === null) return null;
  const events: StoredEvent[] = [];
  for (let after: string | null = null; ; ) {
    interface Page {
      events: {
        nodes: StoredEvent[];
        pageInfo: { hasNextPage: boolean; endCursor: string | null };
      };
    }
    const page: Page = await ask<Page>(server, EVENTS, { filter: { taskId: id }, after });
    events.push(...page.events.nodes);
    if (!page.events.pageInfo.hasNextPage) return { ...task, events };
    after = page.events.pageInfo.endCursor;
  }
}

const DEADLINE_MS = 20_000;
const LOOK_EVERY_MS = 100;

/** The task as soon as it is as it should be; after the deadline as it is. */
export async function taskOnce(
  server: Server,
  id: string,
  host: string,
  isAsExpected: (task: StoredTask) => boolean,
): Promise<StoredTask> {
  for (const until = Date.now() + DEADLINE_MS; ; ) {
    const task = await storedTask(server, id, host);
    if (task !== null && (isAsExpected(task) || Date.now() > until)) return task;
    if (Date.now() > until) throw new Error(`the server knows of no task ${id}`);
    await pause(LOOK_EVERY_MS);
  }
}

/** The messages that are numbered lines of output. */
export function linesOf(task: StoredTask): number[] {
  return task.events.flatMap(({ message }) => {
    const [, number] = /^line (\d+)$/.exec(message ?? '') ?? [];
    return number === undefined ? [] : [Number(number)];
  });
}

/** Whether each writer's events came in the order of their numbers, from 1 and without holes. */
export function isDense(task: StoredTask): boolean {
  const last = new Map<string, number>();
  return task.events.every(({ writer, sequence }) => {
    if (writer === null || sequence === null) return true;
    const before = last.get(writer) ?? 0;
    last.set(writer, sequence);
    return sequence === before + 1;
  });
}
