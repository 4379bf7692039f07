/** The HTTP Event Collector: what Docker's splunk driver and others send to it, and what they hear. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/domain/event/event.ts';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import { bodiesOf, recorded, replay } from '../senders/recorded.ts';
import { type HttpFixture, startHttpFixture } from './support.ts';

const EVENTS = '/services/collector/event/1.0';
let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture();
});
afterAll(() => shiplog.close());

async function eventsOf(taskId: string): Promise<StoredEvent[]> {
  const page = { limit: 200, backward: false, after: null, before: null, around: null };
  const [found] = await shiplog.store.events([
    { filter: { taskId }, order: 'LOG', page: { ...page, withTotal: false } },
  ]);
  return (found?.rows ?? []).map(({ node }) => node);
}

async function messagesOf(taskId: string): Promise<(string | null)[]> {
  return (await eventsOf(taskId)).map(({ message }) => message);
}

/** The recorded requests with another body. */
async function replayed(name: string): Promise<void> {
  const requests = recorded(`splunk/${name}.request`);
  const answers = await replay(shiplog.port, requests);
  const bodies = bodiesOf(answers).map((body) => JSON.parse(body.toString()) as unknown);
  expect(answers.toString('latin1').match(/HTTP\/1\.1 200 OK\r\n/g)).toHaveLength(
    bodiesOf(requests).length,
  );
  for (const body of bodies) expect(body).toMatchObject({ text: 'Success', code: 0 });
}

describe("the bytes of Docker's driver", () => {
  it('are lines of their container, with its stream, from the host of its engine', async () => {
    await replayed('plain');
    const events = await eventsOf('container/86d60289f237/2026-11-27');
    expect(events.map(({ message, stream }) => [message, stream])).toEqual([
      ['two', 'STDERR'],
      ['one', 'STDOUT'],
      ['no newline at end', 'STDOUT'],
    ]);
    expect(events[0]).toMatchObject({
      host: 'vm',
      at: 1_795_742_440_859,
      labels: { container: '86d60289f237', container_id: '86d60289f237' },
    });
  });

  it('stand in the deployment where labels of the container name it', async () => {
    await replayed('labels-and-tag');
    const events = await eventsOf('T1');
    expect(events.map(({ message }) => message)).toEqual([
      'one',
      '{"level":"error","msg":"boom"}',
      'a\tb "q" \\ é 连接',
      '',
      '\u001b[31mred\u001b[0m',
      '  ',
    ]);
    expect(events[0]).toMatchObject({
      step: 'service-start',
      labels: {
        container: 'web-1',
        container_id: '51a1af8029a9',
        SHOP_ENV: 'prod',
        deploy: '2026-11-27-shop',
      },
    });
  });

  it('of a line that was cut at 16 KiB are one line again', async () => {
    await replayed('pieces-of-16-KiB');
    const bodies = bodiesOf(recorded('splunk/pieces-of-16-KiB.request'));
    const tag = /"tag":"([0-9a-f]{12})"/.exec(String(bodies.at(-1)))?.[1];
    const messages = await messagesOf(`container/${tag}/2026-11-27`);
    expect(messages.map((text) => text?.length)).toContain(16_384 + 16_384 + 7_232);
    expect(messages.filter((text) => text?.length === 16_384)).toEqual([]);
  });

  it('of a terminal lose the return at the end of each line', async () => {
    await replayed('tty');
    expect(await messagesOf('container/74be105b1355/2026-11-27')).toEqual(['tty-one', 'tty-two']);
  });

  it('in its other formats and compressed are read too', async () => {
    await replayed('gzip');
    await replayed('format-inline');
    await replayed('format-json');
    await replayed('format-raw');
    expect((await messagesOf('T2')).toSorted()).toEqual([
      'plain text',
      'plain text',
      '{"a":1}',
      '{"a":1}',
    ]);
    expect(await messagesOf('index/ix/2026-11-27')).toEqual([
      'ac3aa03f44af task=T2 {"a":1}',
      'ac3aa03f44af task=T2 plain text',
    ]);
  });

  it('that come again among others count once', async () => {
    await replayed('plain');
    expect(await messagesOf('container/86d60289f237/2026-11-27')).toHaveLength(3);
    const line = (text: string, time: string) =>
      JSON.stringify({
        event: { line: text, source: 'stdout', tag: 'again/0123456789ab' },
        time,
        host: 'vm',
      });
    const first = line('a', '1795742440.000001') + line('a', '1795742440.000001');
    await send(first);
    await send(first + line('b', '1795742440.000002'));
    expect(await messagesOf('container/again/2026-11-27')).toEqual(['a', 'a', 'b']);
  });
});

function send(body: string | Buffer, headers: Record<string, string> = {}, path = EVENTS) {
  return fetch(shiplog.url + path, { method: 'POST', body: body as BodyInit, headers });
}

describe('other programs', () => {
  it('send events with fields and times of their own, a list of them, or lines', async () => {
    await send(
      JSON.stringify([
        { event: 'text', time: 1_795_742_440.25, host: 'h1', fields: { task: 'hec', n: 1 } },
        { event: { message: 'object', severity: 'ERROR' }, host: 'h2', fields: { task: 'hec' } },
      ]),
      {},
      '/services/collector',
    );
    expect(await eventsOf('hec')).toMatchObject([
      { message: 'text', host: 'h1', at: 1_795_742_440_250 },
      { message: 'object', host: 'h2', level: 'ERROR' },
    ]);
    const answer = await send(
      'one\r\n\ntwo',
      {},
      '/services/collector/raw?host=h3&index=raw-lines&time=1795742440',
    );
    expect(answer.status).toBe(200);
    expect(await messagesOf('index/raw-lines/2026-11-27')).toEqual(['one', 'two']);
  });

  it('stand at the time of their receipt where theirs cannot be read, which is kept and told', async () => {
    const misfits = () => shiplog.metric('shiplog_sender_misfits_total{reason="time"}');
    const before = Number(await misfits());
    const began = new Date();
    await send(
      '{"event":"noon","time":"noon","index":"times"}{"event":"0","time":0,"index":"times"}',
    );
    const days = new Set([began, new Date()].map((at) => at.toISOString().slice(0, 10)));
    const events = (
      await Promise.all([...days].map((day) => eventsOf(`index/times/${day}`)))
    ).flat();
    expect(events.map(({ params }) => params)).toEqual([{ time: 'noon' }, { time: 0 }]);
    expect(Number(await misfits()) - before).toBe(2);
  });

  it('stand at the time in the event where there is none around it', async () => {
    await send('{"event":{"message":"own","timestamp":"2027-01-15T08:00:00.5Z"},"index":"own"}');
    expect(await messagesOf('index/own/2027-01-15')).toEqual(['own']);
  });

  it('find health, and acknowledgements of everything that was stored', async () => {
    const health = await fetch(`${shiplog.url}/services/collector/health`);
    expect([health.status, await health.json()]).toEqual([
      200,
      { text: 'HEC is healthy', code: 17 },
    ]);
    const sent = await send('{"event":"with a channel"}', { 'x-splunk-request-channel': 'c1' });
    const { ackId } = (await sent.json()) as { ackId: number };
    const acks = await send(JSON.stringify({ acks: [ackId] }), {}, '/services/collector/ack');
    expect(await acks.json()).toEqual({ acks: { [ackId]: true } });
  });
});

describe('a damaged event', () => {
  it.for([
    ['is JSON with a mistake', '{"event":"x",,}'],
    ['is no object', '17'],
    ['has no event', '{"time":"1795742440.1"}'],
    ['is garbage', 'ab"c'],
    ['has a quotation mark too many', '{"event":"bro"ken","time":1}'],
    ['lacks a quotation mark', '{"event":"broken,"time":1}'],
    ['lacks a brace', '{"event":{"line":"x","source":"stdout","time":1}'],
    ['has a part that is whole', '{"event":{"time":1,"a":{}},,}'],
    ['is cut off behind a brace', '{"event":{"line":"{'],
  ])('that %s costs none of its neighbours', async ([name = '', bad]) => {
    const good = (text: string) => JSON.stringify({ event: text, index: name, time: 1.8e9 });
    const answer = await send(good('before') + bad + good('behind'));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ text: 'Success', code: 0, rejected: 1 });
    expect(await messagesOf(`index/${name}/2027-01-15`)).toEqual(['before', 'behind']);
  });

  it('in bytes that are no UTF-8 is stored with what could be read', async () => {
    const body = Buffer.from('{"event":"a\xff","index":"latin","time":1800000000}', 'latin1');
    expect((await send(body)).status).toBe(200);
    expect(await messagesOf('index/latin/2027-01-15')).toEqual(['a\ufffd']);
  });

  it('that is nested without end is stored with its neighbours', async () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000);
    const event = (inner: string) => `{"event":${inner},"index":"deep","time":1800000000}`;
    const labels = `{"message":"labels","labels":{"a":${deep}},"b":${deep}}`;
    expect((await send(event(deep) + event(labels) + event('"last"'))).status).toBe(200);
    expect(await messagesOf('index/deep/2027-01-15')).toEqual([
      '[nested too deep]',
      'labels',
      'last',
    ]);
  });

  it('is refused soon, however often it begins and never ends', async () => {
    // Looked at anew from each beginning it would take minutes.
    expect((await send('{"event":'.repeat(200_000))).status).toBe(400);
  });

  it('alone is refused, and so is nothing at all', async () => {
    const bad = await send('{"event":');
    expect([bad.status, await bad.json()]).toEqual([400, { text: 'Invalid data format', code: 6 }]);
    const empty = await send('');
    expect([empty.status, await empty.json()]).toEqual([400, { text: 'No data', code: 5 }]);
  });

  it('that unpacks to more than the limit is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(9 * 1024 * 1024, 0x20));
    expect((await send(bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
  });
});

describe('with tokens', () => {
  let guarded: HttpFixture;
  let token: string;
  beforeAll(async () => {
    const made = makeToken('docker', ['ingest'], null, Date.now());
    token = made.token;
    const tokensFile = join(mkdtempSync(join(tmpdir(), 'shiplog-hec-')), 'tokens');
    writeFileSync(tokensFile, formatTokens([made.record]));
    guarded = await startHttpFixture({ tokensFile });
    return () => guarded.close();
  });

  const sendAs = (authorization: string | null) =>
    fetch(guarded.url + EVENTS, {
      method: 'POST',
      body: '{"event":"x"}',
      headers: authorization === null ? {} : { authorization },
    });

  it('a container starts, and its lines are taken with "Splunk TOKEN" or a password', async () => {
    expect((await fetch(guarded.url + EVENTS, { method: 'OPTIONS' })).status).toBe(200);
    expect((await sendAs(`Splunk ${token}`)).status).toBe(200);
    const basic = Buffer.from(`x:${token}`).toString('base64');
    expect((await sendAs(`Basic ${basic}`)).status).toBe(200);
  });

  it('others are refused with the numbers that Splunk has for it', async () => {
    const missing = await sendAs(null);
    expect([missing.status, await missing.json()]).toMatchObject([401, { code: 2 }]);
    const wrong = await sendAs('Splunk shp_wrong');
    expect([wrong.status, await wrong.json()]).toMatchObject([401, { code: 4 }]);
  });
});
