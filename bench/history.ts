/** A day of deployments to query: tasks of 200 hosts, one after another, spread over 20 hours. */
import type { StartTaskInput } from '../src/cli/gen/graphql.ts';
import { ShiplogError } from '../src/domain/errors.ts';
import type { LogEvent } from '../src/domain/event/event.ts';
import { parseFinishTask, parseStartTask } from '../src/domain/event/task-input.ts';
import type { Store } from '../src/store/store.ts';
import { fleetInputs, logEvent } from './events.ts';

const HOSTS = 200;
/** Of a task of 200 hosts with five lines a step, about. */
const EVENTS_PER_TASK = 11_000;
const HOUR_MS = 3_600_000;
const SPAN_MS = 20 * HOUR_MS;
const VIEWS_MS = 300_000;
export const RARE_EVERY = 50_000;

/** In one event of 50,000; and one that a sixth of the events have. */
export const RARE_WORD = 'zanzibar';
export const COMMON_WORD = 'nginx';

export interface History {
  events: number;
  taskIds: string[];
  /** All events are within. */
  from: number;
  to: number;
}

function* historyEvents(count: number, history: History): Generator<LogEvent> {
  const tasks = Math.ceil(count / EVENTS_PER_TASK);
  for (let task = 0; history.events < count; task++) {
    const taskId = `deploy-${task}`;
    const startAt = history.from + HOUR_MS + Math.floor((task / tasks) * SPAN_MS);
    history.taskIds.push(taskId);
    let last = startAt;
    for (const event of taskEvents(taskId, task, startAt)) {
      last = event.receivedAt;
      history.events++;
      if (history.events % RARE_EVERY === 7) event.message = `${event.message ?? ''} ${RARE_WORD}`;
      yield event;
    }
    const ended = parseFinishTask({ id: taskId }, last + 1_000);
    if (ended.ok) yield ended.event;
  }
}

function* taskEvents(taskId: string, task: number, startAt: number): Generator<LogEvent> {
  const service = ['orders', 'search', 'checkout', 'mail'][task % 4] as string;
  const started: StartTaskInput = {
    id: taskId,
    service,
    version: `2.${task}.0`,
    environment: task % 3 === 0 ? 'staging' : 'production',
    expectedHosts: HOSTS,
  };
  const began = parseStartTask(started, startAt);
  if (began.ok) yield began.event;
  for (const input of fleetInputs({
    ...{ taskId, hosts: HOSTS, lines: 5, startAt },
    seed: String(task),
  })) {
    yield logEvent(input, Date.parse(input.at as string));
  }
}

function* inBatches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Appends about `count` events, `batch` at a time; resolves when the views have them too. */
export async function fillHistory(
  store: Store,
  count: number,
  batch: number,
  inFlight: number,
): Promise<History> {
  const now = Date.now();
  const history: History = { events: 0, taskIds: [], from: now - 24 * HOUR_MS, to: now };
  const running = new Set<Promise<unknown>>();
  const events = historyEvents(count, history);
  for (const some of inBatches(events, batch)) {
    while (running.size >= inFlight) await Promise.race(running);
    const append = store.append(some).then((outcomes) => {
      running.delete(append);
      const bad = outcomes.find(({ outcome }) => outcome !== 'STORED');
      if (bad !== undefined) throw new Error(`the history is not stored: ${JSON.stringify(bad)}`);
    });
    running.add(append);
  }
  await Promise.all(running);
  await viewsKeptUp(store);
  if (history.events < count) throw new Error(`only ${history.events} events of history`);
  return history;
}

/** Views may be behind a flood for longer than a query would wait for them. */
async function viewsKeptUp(store: Store): Promise<void> {
  const deadline = performance.now() + VIEWS_MS;
  for (;;) {
    try {
      return await store.viewsReach(await store.heads(null));
    } catch (error) {
      const passing = error instanceof ShiplogError && error.code === 'STORE_UNAVAILABLE';
      if (!passing || performance.now() > deadline) throw error;
    }
  }
}
