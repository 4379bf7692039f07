/** What an operation may ask for, and what is said to one that asks for more. */
import { getIntrospectionQuery } from 'graphql';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isStream } from '../../src/graphql/operation/graphql.ts';
import { startEmbedded, type TestServer, viewerWith } from './server.ts';

function manyKeys(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]));
}

describe('limits of an operation', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startEmbedded();
  });
  afterAll(() => server.close());

  async function refusal(source: string, variables = {}): Promise<[unknown, string]> {
    const { data, errors } = await server.ask(source, variables);
    expect(data ?? null).toBeNull();
    return [errors[0]?.extensions.code, errors[0]?.message ?? ''];
  }

  const refused: [string, string, RegExp][] = [
    ['a document with more than 1,000 tokens', `{${' a'.repeat(1_001)}}`, /tokens/],
    ['a document of more than 65,536 characters', `{a}#${' '.repeat(65_536)}`, /longer/],
    [
      'more than 30 aliases',
      `{${Array.from({ length: 31 }, (_, i) => `a${i}: __typename`).join(' ')}}`,
      /more than 30 aliases/,
    ],
    [
      'fields nested deeper than 12',
      '{task(id:"t"){run(host:"h"){task{run(host:"h"){task{run(host:"h"){task{run(host:"h"){task{run(host:"h"){task{run(host:"h"){id}}}}}}}}}}}}}',
      /depth is 13, at most 12/,
    ],
    [
      'too many rows in lists of lists',
      '{tasks(first:500){nodes{runs(first:500){nodes{id}}}}}',
      /complexity is \d+, at most 200000/,
    ],
    [
      'fragments that double themselves into thousands of fields',
      `{server{...F0}} ${Array.from(
        { length: 9 },
        (_, i) => `fragment F${i} on Server {...F${i + 1} ...F${i + 1} version}`,
      ).join(' ')} fragment F9 on Server {engine}`,
      /breadth is 1024, at most 500/,
    ],
  ];
  for (const [what, source, words] of refused) {
    it(`refuses ${what}`, async () => {
      const [code, message] = await refusal(source);
      expect(code).toBe('QUERY_TOO_COMPLEX');
      expect(message).toMatch(words);
    });
  }

  it('says of a document that repeats a field hundreds of times that it is too complex', async () => {
    const [code, message] = await refusal(`{${' __typename'.repeat(900)}}`);
    expect(code).toBe('QUERY_TOO_COMPLEX');
    expect(message).toMatch(/the same fields too many times/);
  });

  it.each([
    ['filter', 'f', { f: manyKeys(300) }],
    ['filter with more beside it', 'f.labels[1]', { f: { labels: [{}, manyKeys(257)], no: 1 } }],
  ])('names a %s of hundreds of keys, and does not quote it', async (_, field, variables) => {
    const { errors } = await server.ask(
      'query ($f: EventFilter!) { events(filter: $f) { totalCount } }',
      variables,
    );
    expect(errors).toMatchObject([
      {
        message: `${field}: an object has at most 256 keys here`,
        extensions: { code: 'BAD_USER_INPUT', field },
      },
    ]);
  });

  it('rejects parameters of too many keys by themselves, not their neighbours', async () => {
    const event = { taskId: 'wide', host: 'h', step: 's', message: 'm' };
    const { logSteps } = await server.data(
      'mutation ($i: [StepEventInput!]!) { logSteps(inputs: $i) { results { outcome } } }',
      { i: [{ ...event, params: manyKeys(300) }, event] },
    );
    expect(logSteps.results).toEqual([{ outcome: 'REJECTED' }, { outcome: 'STORED' }]);
  });

  it('counts the size of a page where it comes from a variable, each time anew', async () => {
    const source = 'query ($n: Int) {tasks(first:500){nodes{runs(first:$n){nodes{id}}}}}';
    expect((await server.ask(source, { n: 1 })).errors).toEqual([]);
    expect((await refusal(source, { n: 500 }))[0]).toBe('QUERY_TOO_COMPLEX');
    expect((await server.ask(source, { n: 2 })).errors).toEqual([]);
  });

  it('applies to subscriptions before they begin', async () => {
    const [code] = await refusal(
      'subscription {tasksChanged{tasks{runs(first:500){nodes{steps{events(first:500){nodes{id}}}}}}}}',
    );
    expect(code).toBe('QUERY_TOO_COMPLEX');
  });

  it('lets GraphiQL introspect the whole schema', async () => {
    const { errors, data } = await server.ask(getIntrospectionQuery());
    expect(errors).toEqual([]);
    expect(data.__schema.types.length).toBeGreaterThan(50);
    expect((await server.data('{__type(name:"Task"){name}}')).__type.name).toBe('Task');
  });

  it('says where a document has a syntax error', async () => {
    const { errors } = await server.ask('{ task(id: }');
    expect(errors[0]).toMatchObject({
      extensions: { code: 'GRAPHQL_PARSE_FAILED' },
      locations: [{ line: 1, column: 12 }],
    });
  });

  it('names what does not fit the schema, at most five errors of it', async () => {
    const { errors } = await server.ask('{ a b c d e f g task(id: "x") { titel } }');
    expect(errors.length).toBeLessThanOrEqual(6);
    expect(errors[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    const [, message] = await refusal('{ task(id: "x") { titel } }');
    expect(message).toContain('Did you mean "title"');
  });

  it('asks which operation is meant where there are several', async () => {
    expect((await refusal('query A {server{version}} query B {server{version}}'))[1]).toMatch(
      /operation name/,
    );
  });

  it('takes no document of thousands of nested values, and lives', async () => {
    const [code] = await refusal(`{task(id:${'['.repeat(400)}${']'.repeat(400)}){id}}`);
    expect(code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('does not keep long documents, nor more than it may of those that weigh much', () => {
    const { graphql } = server;
    const light = '{ server { version } }';
    const first = graphql.prepare(light).operation;
    expect(graphql.prepare(light).operation).toBe(first);
    const hosts = Array.from({ length: 900 }, () => '"a"').join();
    const heavy = (i: number) => `{ events(filter: {hosts: [${hosts}]}) { totalCount } } # ${i}`;
    for (let i = 0; i < 100; i++) expect(graphql.prepare(heavy(i)).operation).not.toBeNull();
    expect(graphql.prepare(light).operation).not.toBe(first);
    const long = `${light} # ${'x'.repeat(9_000)}`;
    expect(graphql.prepare(long).operation).not.toBe(graphql.prepare(long).operation);
  });
});

describe('subscriptions of one token', () => {
  it('are so many at a time, whatever others have, and room comes back with each that ends', async () => {
    const server = await startEmbedded({ limits: { subscriptionsOfToken: 2 } });
    const open = (tokenId: string | null) =>
      server.run(
        'subscription { tail(filter: { taskId: "t" }) { cursor } }',
        {},
        { tokenId, scopes: new Set(['read'] as const), address: null },
      );
    const [first, second] = [await open('a'), await open('a')];
    expect(await open('a')).toMatchObject({ errors: [{ extensions: { code: 'OVERLOADED' } }] });
    const others = [await open('b'), await open(null), await open(null), await open(null)];
    if (!isStream(first)) throw new Error('no stream');
    await first.return();
    await first.return();
    const third = await open('a');
    expect(await open('a')).toMatchObject({ errors: [{ extensions: { code: 'OVERLOADED' } }] });
    for (const stream of [second, third, ...others]) {
      if (!isStream(stream)) throw new Error('no stream');
      await stream.return();
    }
  });
});

describe('hideSuggestions', () => {
  it('keeps names of the schema out of errors', async () => {
    const server = await startEmbedded({ limits: { hideSuggestions: true } });
    const { errors } = await server.ask('{ task(id: "x") { titel } }');
    expect(errors[0]?.message).not.toContain('Did you mean');
    const typo = await server.ask('query ($f: EventFilter!) {events(filter: $f){totalCount}}', {
      f: { host: ['a'] },
    });
    expect(typo.errors[0]?.message).not.toContain('Did you mean');
    await server.close();
  });
});

describe('scopes of a token', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startEmbedded();
  });
  afterAll(() => server.close());

  const report = 'mutation {logStep(input:{taskId:"t",host:"h",step:"s",message:"m"}){outcome}}';

  it('FORBIDDEN names the scope that is missing', async () => {
    const read = await server.ask(report, {}, viewerWith('read'));
    expect(read.errors[0]).toMatchObject({
      extensions: { code: 'FORBIDDEN' },
      message: expect.stringContaining('"ingest"'),
    });
    const ingest = await server.ask('{server{version}}', {}, viewerWith('ingest'));
    expect(ingest.errors[0]).toMatchObject({
      extensions: { code: 'FORBIDDEN' },
      message: expect.stringContaining('"read"'),
    });
    const followed = await server.ask(
      'subscription {tail(filter:{}){cursor}}',
      {},
      viewerWith('ingest'),
    );
    expect(followed.errors[0]?.extensions.code).toBe('FORBIDDEN');
  });

  it('admin implies the others', async () => {
    expect((await server.ask(report, {}, viewerWith('admin'))).errors).toEqual([]);
  });

  it('a token that may only report gets its task back, but cannot read on from there', async () => {
    const start = (selection: string) => `mutation {startTask(input:{id:"t"}){...P}}
      fragment P on StartTaskPayload {task{id status ...on Task{${selection}}}}`;
    const own = await server.ask(start('plan'), {}, viewerWith('ingest'));
    expect(own.errors).toEqual([]);
    const on = await server.ask(start('runs{nodes{id}}'), {}, viewerWith('ingest'));
    expect(on.errors[0]?.extensions.code).toBe('FORBIDDEN');
    const both = await server.ask(start('runs{nodes{id}}'), {}, viewerWith('ingest', 'read'));
    expect(both.errors).toEqual([]);
  });

  it('refuses an answer that holds the same heavy page many times over, and gives it once', async () => {
    const message = 'x'.repeat(65_536);
    const lines = Array.from({ length: 200 }, (_, at) => ({
      taskId: 'heavy',
      host: 'h',
      step: 's',
      message,
      eventId: `e${at}`,
    }));
    await server.report(...lines);
    const page = 'events(filter: {taskId: "heavy"}, first: 1000) { nodes { message } }';
    expect((await server.data(`{ ${page} }`)).events.nodes).toHaveLength(200);
    const { data, errors } = await server.ask(
      `{ ${Array.from({ length: 4 }, (_, at) => `a${at}: ${page}`).join(' ')} }`,
    );
    expect(data ?? null).toBeNull();
    expect(errors[0]?.extensions.code).toBe('QUERY_TOO_COMPLEX');
  });

  it('counts last lines, parameters and labels of such an answer too', async () => {
    const long = 'x'.repeat(1_000);
    const labels = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`l${at}`, long]));
    const steps = Array.from({ length: 200 }, (_, at) => ({
      taskId: 'laden',
      host: `h${at}`,
      step: 's',
      status: 'RUNNING',
      labels,
      params: { text: long.repeat(15) },
    }));
    await server.report(...steps);
    await server.report(
      ...steps.map(({ taskId, host, step }) => ({ taskId, host, step, message: long.repeat(60) })),
    );
    const pages = {
      lines: (first: number) =>
        `steps(filter: {taskId: "laden"}, first: ${first}) {nodes {lastLines(count: 1) {message}}}`,
      params: (first: number) =>
        `steps(filter: {taskId: "laden"}, first: ${first}) {nodes {params}}`,
      hosts: (first: number) =>
        `hosts(filter: {namePrefix: "h"}, first: ${first}) {nodes {labels}}`,
    };
    for (const page of Object.values(pages)) {
      await server.data(`{ ${page(100)} }`);
      const { errors } = await server.ask(
        `{ ${Array.from({ length: 25 }, (_, at) => `a${at}: ${page(200 - at)}`).join(' ')} }`,
      );
      expect(errors[0]?.extensions.code).toBe('QUERY_TOO_COMPLEX');
    }
    const counts = Array.from({ length: 25 }, (_, at) => at + 1).map(
      (count) =>
        `a${count}: steps(filter: {taskId: "laden"}, first: 200) {nodes {lastLines(count: ${count}) {message}}}`,
    );
    const { errors } = await server.ask(`{ ${counts.join(' ')} }`);
    expect(errors[0]?.extensions.code).toBe('QUERY_TOO_COMPLEX');
  });
});
