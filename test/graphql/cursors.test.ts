/** Cursors that somebody wrote by hand, or that another engine gave: refused, never a fault. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeOnEngines } from '../support/engines.ts';
import { startServer, type TestServer } from './server.ts';

const LISTS: readonly [name: string, (argument: string) => string][] = [
  ['tasks', (cursor) => `tasks(${cursor}) {nodes {id} edges {cursor}}`],
  ['tasks', (cursor) => `tasks(orderBy: DURATION_DESC, ${cursor}) {nodes {id} edges {cursor}}`],
  ['runs', (cursor) => `runs(filter: {}, ${cursor}) {nodes {id} edges {cursor}}`],
  [
    'runs',
    (cursor) => `runs(filter: {}, orderBy: FAILED_FIRST, ${cursor}) {nodes {id} edges {cursor}}`,
  ],
  [
    'runs',
    (cursor) => `runs(filter: {}, orderBy: LAST_EVENT_DESC, ${cursor}) {nodes {id} edges {cursor}}`,
  ],
  ['steps', (cursor) => `steps(filter: {}, ${cursor}) {nodes {id} edges {cursor}}`],
  ['hosts', (cursor) => `hosts(${cursor}) {nodes {name} edges {cursor}}`],
  ['events', (cursor) => `events(filter: {}, ${cursor}) {nodes {id} edges {cursor}}`],
  [
    'events',
    (cursor) => `events(filter: {taskId: "forged"}, ${cursor}) {nodes {id} edges {cursor}}`,
  ],
];
const VALUES: readonly unknown[] = [-1, 1.5, 1e300, -1e300, 2 ** 53 + 2, '', 'a\0b', '\ud800'];

describeOnEngines('cursors', (engine) => {
  let server: TestServer;
  /** null: its own. */
  let engineName: string | null = null;
  beforeAll(async () => {
    const store = await engine.open();
    const reading = new Proxy(store, {
      get(target, part) {
        if (part === 'engine' && engineName !== null) return engineName;
        const member: unknown = Reflect.get(target, part);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    server = await startServer(store, { reading });
    const event = { taskId: 'forged', host: 'h', step: 's', status: 'FAILED', message: 'm' };
    await server.report(event, { ...event, host: 'i' });
    await server.report({ ...event, taskId: 'other' });
  });
  afterAll(() => server.close());

  const decoded = (cursor: string): unknown[] =>
    JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
  const encoded = (content: unknown[]): string =>
    Buffer.from(JSON.stringify(content)).toString('base64url');

  it.each(LISTS)(
    'of %s with other values in them are no fault of the server (%#)',
    async (name, list) => {
      const found = await server.data(`{${list('first: 5')}}`);
      const content = decoded(found[name].edges[0].cursor);
      const forged = VALUES.flatMap((value) =>
        content.flatMap((_, at) => (at < 2 ? [] : [content.with(at, value)])),
      );
      forged.push([...content, 1], content.slice(0, -1), content.slice(0, 2));
      for (const wrong of forged) {
        for (const argument of ['after', 'before', ...(name === 'events' ? ['around'] : [])]) {
          const { errors } = await server.ask(`{${list(`${argument}: "${encoded(wrong)}"`)}}`);
          const told = errors.map(({ extensions }) => extensions);
          expect([wrong, told]).toEqual([wrong, [{ code: 'CURSOR_INVALID', field: argument }]]);
        }
      }
      expect(server.logged).toEqual([]);
    },
  );

  it.each([
    ['events', 'events(filter: {taskId: $task}, ARGS) {edges {cursor}}'],
    ['events', 'events(filter: {taskId: $task}, order: TIME, ARGS) {edges {cursor}}'],
    ['events', 'task(id: $task) {events(ARGS) {edges {cursor}}}'],
    [
      'events',
      'task(id: $task) {run(host: "h") {step(name: "s") {events(ARGS) {edges {cursor}}}}}',
    ],
    ['runs', 'runs(filter: {taskId: $task}, ARGS) {edges {cursor}}'],
    ['runs', 'task(id: $task) {runs(orderBy: FAILED_FIRST, ARGS) {edges {cursor}}}'],
    ['steps', 'steps(filter: {taskId: $task}, ARGS) {edges {cursor}}'],
  ])('of %s of one task are refused by the same list of another (%#)', async (name, list) => {
    const ask = (task: string, given: string) =>
      server.ask(`query ($task: ID!) {${list.replace('ARGS', given)}}`, { task });
    const { data } = await ask('forged', 'first: 1');
    const [cursor] = /[\w-]{16,}/.exec(JSON.stringify(data)) ?? [];
    for (const argument of ['after', 'before', ...(name === 'events' ? ['around'] : [])]) {
      const given = `${argument}: "${cursor}"`;
      expect((await ask('forged', given)).errors).toEqual([]);
      const { errors } = await ask('other', given);
      const told = errors.map(({ extensions }) => extensions);
      expect(told).toEqual([{ code: 'CURSOR_MISMATCH', field: argument }]);
    }
  });

  it('of a list across tasks go on under another filter, and lead into the log of their own task alone', async () => {
    const found = await server.data(
      '{events(filter: {search: "m"}, first: 3) {edges {cursor node {taskId}}}}',
    );
    const [{ cursor, node }] = found.events.edges;
    const on = `{events(filter: {hosts: ["h", "i"]}, first: 1, after: "${cursor}") {edges {cursor}}}`;
    expect((await server.data(on)).events.edges[0].cursor).toBe(found.events.edges[1].cursor);
    const log = (task: string) =>
      server.ask(`{events(filter: {taskId: "${task}"}, around: "${cursor}") {totalCount}}`);
    expect((await log(node.taskId)).errors).toEqual([]);
    const { errors } = await log(node.taskId === 'other' ? 'forged' : 'other');
    expect(errors[0]?.extensions).toEqual({ code: 'CURSOR_MISMATCH', field: 'around' });
  });

  it.each(LISTS)('of %s go on, and those of another engine do not (%#)', async (name, list) => {
    const first = await server.data(`{${list('first: 1')}}`);
    const { cursor } = first[name].edges[0];
    const second = await server.data(`{${list(`first: 1, after: "${cursor}"`)}}`);
    expect(second[name].edges[0]?.cursor).not.toBe(cursor);
    engineName = 'another';
    const { errors } = await server.ask(`{${list(`after: "${cursor}"`)}}`);
    engineName = null;
    expect(errors[0]?.extensions).toEqual({ code: 'CURSOR_INVALID', field: 'after' });
  });
});
