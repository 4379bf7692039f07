/** The largest and the oddest that the schema takes: an answer on every engine, never a fault. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeOnEngines } from '../support/engines.ts';
import { startServer, type TestServer } from './server.ts';

const ALL_OF_TIME = { from: '0000-01-01T00:00:00Z', to: '9999-12-31T23:59:59.999Z' };
const COUNTED = '{totalCount}';

function many(prefix: string, suffix = ''): string[] {
  return Array.from({ length: 1_000 }, (_, at) => `${prefix}${at}${suffix}`);
}

const LOOK_UP = `query ($s: String!, $id: ID!) {
  task(id: $id) {id} named: task(id: "odd") {run(host: $s) {id}} host(name: $s) {name}
}`;
const lookUps = ['\ud800', 'a\0b', 'x'.repeat(100_000), '../_all?x=1#%00 "\\', ''];

const CASES: readonly [string, string, object][] = [
  [
    'a range of all of time',
    `query ($from: DateTime, $to: DateTime) {
      events(filter: {from: $from, to: $to}) ${COUNTED}
      eventHistogram(filter: {from: $from, to: $to}, buckets: 500) {total}
      tasks(filter: {from: $from, to: $to}) ${COUNTED}
      runs(filter: {from: $from, to: $to}) ${COUNTED}
      stepStats(filter: {from: $from, to: $to}, groupBy: STEP_AND_DAY) {key}
      host(name: "h") {reliability(from: $from, to: $to) {runs}}
      hosts(filter: {seenSince: $to}) ${COUNTED}
    }`,
    ALL_OF_TIME,
  ],
  [
    'the longest duration that a number can be',
    `query ($ms: Float) {
      steps(filter: {minDurationMs: $ms}) ${COUNTED} failureGroups(filter: {minDurationMs: $ms}) {count}
    }`,
    { ms: 1e308 },
  ],
  [
    'a thousand beginnings of names',
    `query ($h: [String!]) {
      events(filter: {hosts: $h}) ${COUNTED} runs(filter: {hosts: $h}) ${COUNTED}
      steps(filter: {hosts: $h}) ${COUNTED} hosts(filter: {names: $h}) ${COUNTED}
    }`,
    { h: many('zz', '*') },
  ],
  [
    'a thousand values in each list',
    `query ($f: EventFilter!) {events(filter: $f) ${COUNTED} eventHistogram(filter: $f) {total}}`,
    {
      f: {
        services: many('a'),
        environments: many('a'),
        hosts: many('a'),
        steps: many('a'),
        sources: many('a'),
        attempts: many('1').map(Number),
      },
    },
  ],
  [
    'a thousand labels',
    `query ($l: [LabelFilter!]) {
      events(filter: {labels: $l}) ${COUNTED} hosts(filter: {labels: $l}) ${COUNTED}
      tasks(filter: {labels: $l}) ${COUNTED}
    }`,
    { l: many('k').map((key) => ({ key, value: 'x'.repeat(1_000) })) },
  ],
  [
    'a thousand long ids',
    `query ($ids: [ID!]) {tasks(filter: {ids: $ids}) ${COUNTED}}`,
    { ids: many('x'.repeat(1_000)) },
  ],
  [
    'signs that engines give a meaning to',
    `query ($s: String!) {
      hosts(filter: {namePrefix: $s}) ${COUNTED} runs(filter: {failedStep: $s}) ${COUNTED}
      steps(filter: {errorCode: $s, steps: [$s], versions: [$s]}) ${COUNTED}
    }`,
    { s: '*?[\\{}"/../_all#%00' },
  ],
  ...['a*', '-a*', `"${'a '.repeat(450)}"`, `${'a'.repeat(990)}*`].map(
    (term): [string, string, object] => [
      `a search for ${term.slice(0, 8)}`,
      `query ($s: String) {events(filter: {search: $s}) ${COUNTED} tasks(filter: {search: $s}) ${COUNTED}}`,
      { s: term.length > 3 ? term : Array.from({ length: 32 }, () => term).join(' ') },
    ],
  ),
  ...lookUps.map((s): [string, string, object] => [
    `the name ${JSON.stringify(s.slice(0, 12))}`,
    LOOK_UP,
    { s, id: s },
  ]),
];

describeOnEngines('an answer', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(await engine.open());
    const event = { taskId: 'odd', host: 'h', step: 's', status: 'FAILED', message: 'a 10.0.0.7' };
    await server.report(event, { ...event, host: 'i', labels: { 'a.b c*"': 1 } });
  });
  afterAll(() => server.close());

  it.each(CASES)('is given to %s', async (_, source, variables) => {
    const { errors } = await server.ask(source, variables);
    expect(errors).toEqual([]);
    expect(server.logged).toEqual([]);
  });

  it('is given to a label whose name holds what others split at', async () => {
    const found = await server.data(
      `query ($l: [LabelFilter!]) {
        events(filter: {labels: $l}) {nodes {hostName}} hosts(filter: {labels: $l}) {nodes {name}}
      }`,
      { l: [{ key: 'a.b c*"', value: '1' }] },
    );
    expect(found).toEqual({
      events: { nodes: [{ hostName: 'i' }] },
      hosts: { nodes: [{ name: 'i' }] },
    });
  });
});
