/** A number that JSON.parse would round is never taken for another one, by whatever way it comes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type HttpFixture, startHttpFixture } from './support.ts';

const BIG = '9007199254740993';
const LONG = '12345678901234567890';
const EVENT = '"host":"h","step":"s","message":"m"';

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture();
});
afterAll(() => shiplog.close());

/** What is sent stands as it is written here: JSON.stringify could not write it. */
async function post(path: string, body: string, type = 'application/json'): Promise<string> {
  const init = { method: 'POST', headers: { 'content-type': type }, body };
  return (await fetch(shiplog.url + path, init)).text();
}
function ask(query: string, variables = '{}'): Promise<string> {
  return post('/graphql', `{"query":${JSON.stringify(query)},"variables":${variables}}`);
}
const LOG_STEPS =
  'mutation ($i: [StepEventInput!]!) { logSteps(inputs: $i) { stored rejected results { error { code field } } } }';

describe('an id that is sent as a number', () => {
  it('keeps its digits in a mutation, so that two tasks stay two', async () => {
    const inputs = `[{"taskId":${BIG},"eventId":${BIG},${EVENT}},{"taskId":9007199254740992,${EVENT}}]`;
    expect(await ask(LOG_STEPS, `{"i":${inputs}}`)).toContain('"stored":2');
    const found = await ask(
      `{ a: task(id: "${BIG}") { id events { nodes { eventId } } } b: task(id: "9007199254740992") { events { totalCount } } }`,
    );
    expect(JSON.parse(found)).toEqual({
      data: {
        a: { id: BIG, events: { nodes: [{ eventId: BIG }] } },
        b: { events: { totalCount: 1 } },
      },
    });
  });

  it('keeps its digits where it is declared and where it is asked for', async () => {
    const id = '9007199254740995';
    const start = 'mutation ($i: StartTaskInput!) { startTask(input: $i) { task { id } } }';
    expect(await ask(start, `{"i":{"id":${id}}}`)).toContain(`"id":"${id}"`);
    const query =
      'query ($id: ID!, $f: TaskFilter) { task(id: $id) { id } tasks(filter: $f) { nodes { id } } }';
    const answer = await ask(query, `{"id":${id},"f":{"ids":[${id}]}}`);
    expect(JSON.parse(answer).data).toEqual({ task: { id }, tasks: { nodes: [{ id }] } });
    expect(await ask(`{ task(id: ${id}) { id } }`)).toContain(`"id":"${id}"`);
    const address = `${shiplog.url}/graphql?query=${encodeURIComponent('query ($id: ID!) { task(id: $id) { id } }')}`;
    const got = await fetch(`${address}&variables=${encodeURIComponent(`{"id":${id}}`)}`);
    expect(await got.text()).toContain(`"id":"${id}"`);
  });

  it('keeps its digits on a websocket', async () => {
    const socket = new WebSocket(
      `${shiplog.url.replace('http', 'ws')}/graphql`,
      'graphql-transport-ws',
    );
    const answered = new Promise<string>((resolve) => {
      socket.on('message', (data) => {
        const text = String(data);
        if (text.includes('connection_ack')) {
          socket.send(
            `{"id":"1","type":"subscribe","payload":{"query":${JSON.stringify(LOG_STEPS)},"variables":{"i":[{"taskId":9007199254740997,${EVENT}}]}}}`,
          );
        } else resolve(text);
      });
    });
    socket.on('open', () => socket.send('{"type":"connection_init"}'));
    expect(await answered).toContain('"stored":1');
    socket.close();
    expect(await ask('{ task(id: "9007199254740997") { id } }')).toContain('9007199254740997');
  });

  it.each(['application/json', 'application/x-ndjson'])(
    'is refused by /v1/events with its field, as %s',
    async (type) => {
      const answer = await post('/v1/events', `{"taskId":${BIG},${EVENT}}`, type);
      expect(JSON.parse(answer).results[0].error).toMatchObject({
        code: 'INVALID_TYPE',
        field: 'taskId',
      });
    },
  );
});

describe('labels and parameters', () => {
  const details = `"labels":{"build":${LONG},"small":7},"params":{"deep":[{"ns":1764081443123456789}],"ratio":0.12345678901234567890,"n":1.5}`;
  const kept = {
    labels: { build: LONG, small: 7 },
    params: { deep: [{ ns: '1764081443123456789' }], ratio: '0.12345678901234567890', n: 1.5 },
  };
  async function shown(taskId: string): Promise<unknown> {
    const answer = await ask(
      `{ events(filter: { taskId: "${taskId}" }) { nodes { labels params } } }`,
    );
    return JSON.parse(answer).data.events.nodes;
  }

  it('keep their digits as texts, whichever way they come, and are found by them', async () => {
    const event = (task: string) => `{"taskId":"${task}",${EVENT},${details}}`;
    await post('/v1/events', `[${event('x-list')}]`);
    await post('/v1/events', event('x-lines'), 'application/x-ndjson');
    await ask(LOG_STEPS, `{"i":[${event('x-graphql')}]}`);
    await ask(
      `mutation { logStep(input: {taskId: "x-literal", host: "h", step: "s", message: "m", labels: {build: ${LONG}, small: 7}, params: {deep: [{ns: 1764081443123456789}], ratio: 0.12345678901234567890, n: 1.5}}) { outcome } }`,
    );
    for (const task of ['x-list', 'x-lines', 'x-graphql', 'x-literal']) {
      expect([task, await shown(task)]).toEqual([task, [kept]]);
    }
    const filter = `{ labels: [{ key: "build", value: "${LONG}" }] }`;
    const found = await ask(`{ events(filter: ${filter}) { totalCount } }`);
    expect(JSON.parse(found).data.events.totalCount).toBe(4);
  });
});

describe('a measure', () => {
  it('is refused by itself where its whole part would change, and rounded behind the comma', async () => {
    const event = (fields: string) => `{"taskId":"x-measure",${EVENT},${fields}}`;
    const events = `[${event('"durationMs":1234.56789012345678901')},${event(`"progress":{"done":${LONG}}`)}]`;
    const results = [{ error: null }, { error: { code: 'OUT_OF_RANGE', field: 'progress.done' } }];
    const graphql = JSON.parse(await ask(LOG_STEPS, `{"i":${events}}`));
    expect(graphql.data.logSteps).toEqual({ stored: 1, rejected: 1, results });
    const listed = JSON.parse(await post('/v1/events', events));
    expect(listed).toMatchObject({ stored: 1, rejected: 1 });
    const filter = 'query ($f: StepFilter!) { steps(filter: $f) { totalCount } }';
    expect(await ask(filter, `{"f":{"minDurationMs":${LONG}}}`)).toContain('BAD_USER_INPUT');
  });
});
