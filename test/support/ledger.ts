/**
 * Who was promised what: writers that note each acknowledgement, a follower that resumes by its
 * cursor for as long as it takes, and what the store holds in the end.
 */
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

const LOG = `mutation ($inputs: [StepEventInput!]!) {
  logSteps(inputs: $inputs) { results { index outcome eventId } }
}`;
const TAIL = `subscription ($filter: EventFilter!, $after: String) {
  tail(filter: $filter, after: $after) { cursor events { eventId position } }
}`;
const EVENTS = `query ($filter: EventFilter!, $after: String) {
  events(filter: $filter, first: 1000, after: $after) {
    nodes { eventId } pageInfo { hasNextPage endCursor }
  }
}`;

export async function graphql<T>(url: string, query: string, variables: object): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(10_000),
  });
  const { data, errors } = (await response.json()) as { data?: T; errors?: { message: string }[] };
  if (errors !== undefined) throw new Error(errors.map(({ message }) => message).join('; '));
  return data as T;
}

/** Between batches, so that whatever is restarted meanwhile gets its share of the machine. */
const PACE_MS = 20;

/** Writes batches until it is told to stop; a batch without an answer is sent again as it was. */
export async function writeUntil(
  url: () => string,
  taskId: string,
  host: string,
  acknowledged: Set<string>,
  stopped: () => boolean,
): Promise<void> {
  for (let batch = 0; !stopped(); batch++) {
    const inputs = Array.from({ length: 20 }, (_, i) => ({
      taskId,
      host,
      step: 'download',
      eventId: `${host}-${batch}-${i}`,
      message: `line ${batch * 20 + i}`,
    }));
    for (;;) {
      try {
        const { logSteps } = await graphql<{
          logSteps: { results: { outcome: string; eventId: string }[] };
        }>(url(), LOG, { inputs });
        for (const { outcome, eventId } of logSteps.results) {
          if (outcome !== 'REJECTED') acknowledged.add(eventId);
        }
        break;
      } catch {
        if (stopped()) return;
        await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
  }
}

export interface Following {
  delivered: string[];
  /** Resolves when so many different events were delivered. */
  reached(count: number): Promise<void>;
  stop(): void;
}

/** Follows a task by graphql-ws; after every cut it begins again with its cursor. */
export function follow(url: () => string, taskId: string): Following {
  const delivered: string[] = [];
  let cursor: string | null = null;
  let stopped = false;
  let close = async () => {};
  let check = () => {};

  async function once(): Promise<void> {
    const client: Client = createClient({
      url: `${url().replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    close = async () => client.dispose();
    const results = client.iterate<{ tail: { cursor: string; events: { eventId: string }[] } }>({
      query: TAIL,
      variables: { filter: { taskId }, after: cursor },
    });
    for await (const { data, errors } of results) {
      if (errors) throw new Error(JSON.stringify(errors));
      if (!data) continue;
      for (const { eventId } of data.tail.events) delivered.push(eventId);
      cursor = data.tail.cursor;
      check();
    }
  }

  void (async () => {
    while (!stopped) {
      await once().catch(() => {});
      await close();
      if (!stopped) await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();

  return {
    delivered,
    reached: (count) =>
      new Promise((resolve) => {
        check = () => {
          if (new Set(delivered).size >= count) resolve();
        };
        check();
      }),
    stop() {
      stopped = true;
      void close();
    },
  };
}

/** Every event of a task, in the order of the log. */
export async function storedEvents(url: string, taskId: string): Promise<string[]> {
  const ids: string[] = [];
  let after: string | null = null;
  for (;;) {
    const {
      events,
    }: {
      events: {
        nodes: { eventId: string }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
    } = await graphql(url, EVENTS, { filter: { taskId }, after });
    ids.push(...events.nodes.map(({ eventId }) => eventId));
    if (!events.pageInfo.hasNextPage) return ids;
    after = events.pageInfo.endCursor;
  }
}
