/** Promise: what a page of a list asks for each of its rows costs a constant number of store calls. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { describeOnEngines } from '../support/engines.ts';
import { startServer, type TestServer } from './server.ts';

/** The store, with every call that reads something written down. */
function watched(store: Store, calls: string[]): Store {
  return new Proxy(store, {
    get(target, name: keyof Store) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        // That waits for views, once for all rows too, and reads nothing of them.
        if (name !== 'viewsShow') calls.push(name);
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

describeOnEngines('store calls', (engine) => {
  const calls: string[] = [];
  let server: TestServer;
  beforeAll(async () => {
    const store = await engine.open();
    server = await startServer(store, { reading: watched(store, calls) });
    const events = Array.from({ length: 100 }, (_, i) => ({
      taskId: `c-${i}`,
      host: `h-${i % 7}`,
      step: 'pull',
      status: i % 3 === 0 ? 'FAILED' : 'RUNNING',
      message: `line ${i}`,
      source: 'agent/1',
    }));
    await server.report(...events, ...events.map((event) => ({ ...event, host: 'all' })));
  });
  afterAll(() => server.close());

  async function callsOf(source: string): Promise<string[]> {
    calls.length = 0;
    await server.data(source);
    return calls.toSorted();
  }

  it('a page of 100 tasks with runs, counts, summaries and steps takes three', async () => {
    const page = (first: number) => `{tasks(first: ${first}) {nodes {
      id runCounts {failed} stepSummaries {step failed}
      runs(first: 5) {nodes {hostName status steps {name status}} totalCount}
    }}}`;
    expect(await callsOf(page(100))).toEqual(['runs', 'taskStats', 'tasks']);
    expect(await callsOf(page(3))).toEqual(['runs', 'taskStats', 'tasks']);
  });

  it('rows lead to their hosts, tasks, completeness and last lines in one call each', async () => {
    expect(
      await callsOf(`{runs(filter: {}, first: 100) {nodes {
        host {name lastSeenAt reliability {failed}} task {id service} completeness {complete}
        steps {task {id} host {name} lastLines(count: 2) {message host {agent}} events(first: 1) {nodes {id task {id}}}}
      }}}`),
    ).toEqual([
      'completeness',
      'events',
      'hostsByName',
      'lastLines',
      'reliability',
      'runs',
      'tasksById',
    ]);
  });

  it.each([
    [
      'failures lead to samples, their hosts, tasks, lines and runs',
      `{failureGroups(filter: {}, first: 100) {sample {
        task {runCounts {failed} failureGroups {count}} host {name runs(first: 2) {nodes {status}}}
        lastLines(count: 1) {message} events(last: 1) {nodes {id}}
      }}}`,
      ['events', 'failureGroups', 'hostsByName', 'lastLines', 'runs', 'taskStats', 'tasksById'],
    ],
    [
      'events lead to their tasks, hosts, and what those lead to',
      `{events(filter: {}, first: 300) {nodes {
        task {runCounts {total} stepSummaries {step} runs(first: 1) {nodes {completeness {received}}}}
        host {agent reliability {worstStep}}
      }}}`,
      ['completeness', 'events', 'hostsByName', 'reliability', 'runs', 'taskStats', 'tasksById'],
    ],
    [
      'hosts lead to their runs, steps and lines',
      `{hosts(first: 100) {nodes {
        reliability {failed}
        runs(first: 20) {nodes {task {title} run: task {run(host: "all") {status}} steps {lastLines(count: 2) {task {id}}}}}
      }}}`,
      ['hosts', 'lastLines', 'reliability', 'runs', 'runsByKey', 'tasksById'],
    ],
    [
      'tasks lead to their events, failures and single runs',
      `{tasks(first: 100) {nodes {
        events(last: 2) {nodes {host {name}} totalCount} failureGroups(first: 3) {sample {host {agent}}}
        run(host: "all") {host {lastSeenAt} completeness {complete}}
      }}}`,
      ['completeness', 'events', 'failureGroups', 'hostsByName', 'runsByKey', 'tasks'],
    ],
  ])('%s in a call or two each, however many rows there are', async (_, source, expected) => {
    const made = await callsOf(source);
    expect([...new Set(made)]).toEqual(expected);
    // Rows that are reached by two ways may come at two moments.
    expect(made.length).toBeLessThanOrEqual(expected.length + 2);
  });

  it('the boards of a page of tasks are read in one call', async () => {
    const page = (first: number) => `{tasks(first: ${first}) {nodes {matrix {hosts cells}}}}`;
    expect(await callsOf(page(100))).toEqual(['matrices', 'tasks']);
    expect(await callsOf(page(3))).toEqual(['matrices', 'tasks']);
  });

  it('tasks that were just listed are not read again', async () => {
    expect(await callsOf('{tasks {nodes {runs(first: 1) {nodes {task {id title}}}}}}')).toEqual([
      'runs',
      'tasks',
    ]);
  });

  it('writing one event reads nothing through the schema', async () => {
    expect(
      await callsOf(
        'mutation {logStep(input: {taskId: "c-1", host: "h", step: "s", message: "m"}) {outcome}}',
      ),
    ).toEqual([]);
  });
});
