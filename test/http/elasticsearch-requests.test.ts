/**
 * Requests of real programs, byte for byte as they were recorded (test/fixtures/elasticsearch),
 * and what their parsers need in the answers.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpFixture, startHttpFixture } from './support.ts';

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture();
});
afterAll(() => shiplog.close());

interface Reply {
  status: number;
  head: string;
  body: string;
}

/** Sends all the bytes at once on one connection, as pipelined; resolves with the answers. */
function replay(port: number, bytes: Buffer): Promise<Reply[]> {
  const methods = [...bytes.toString('latin1').matchAll(/(?:^|\n)(GET|HEAD|POST|PUT) \/\S* HTTP/g)];
  return new Promise((done, failed) => {
    const socket = connect(port, '127.0.0.1');
    const replies: Reply[] = [];
    let held = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      held += text;
      for (;;) {
        const end = held.indexOf('\r\n\r\n');
        if (end === -1) return;
        const head = held.slice(0, end);
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        const size = methods[replies.length]?.[1] === 'HEAD' ? 0 : length;
        if (held.length < end + 4 + size) return;
        const body = held.slice(end + 4, end + 4 + size);
        replies.push({ status: Number(/ (\d+) /.exec(head)?.[1]), head, body });
        held = held.slice(end + 4 + size);
        if (replies.length === methods.length) socket.end();
      }
    });
    socket.on('error', failed);
    socket.on('close', () => done(replies));
    socket.write(bytes);
  });
}

const recorded = (name: string): Buffer =>
  readFileSync(resolve(import.meta.dirname, `../fixtures/elasticsearch/${name}.request`));

/** Program, recorded requests, documents in them, an event that must be there. */
const PROGRAMS: [string, string, number, string, Record<string, unknown>][] = [
  ['elasticsearch-js 9', 'es-js', 50, 'logs-js', { level: 'INFO', source: 'logs-js' }],
  [
    'elasticsearch-java, chunked',
    'es-java',
    50,
    'logs-java',
    { labels: { service: 'release-service' } },
  ],
  ['elasticsearch-py, PUT', 'es-python', 50, 'logs-python', { level: 'INFO' }],
  ['go-elasticsearch, gzip', 'es-go', 24, 'logs-go', { level: 'INFO' }],
  ['go-elasticsearch, the next batch', 'es-go-2', 26, 'logs-go', { level: 'INFO' }],
  ['Search::Elasticsearch', 'es-perl', 50, 'logs-perl', { level: 'INFO' }],
  ['OpenSearch JS, PUT and gzip', 'opensearch-js', 50, 'logs-opensearch', {}],
  ['Filebeat 7.17 with its handshake', 'filebeat', 50, 'filebeat', { source: 'filebeat' }],
  [
    'logback-elasticsearch-appender',
    'logback-es',
    50,
    'logs-logback-2026-11-27',
    { labels: { logger: 'shop' } },
  ],
  ['rsyslog omelasticsearch', 'rsyslog-es', 50, 'logs-rsyslog', { level: 'WARN' }],
  ['syslog-ng http()', 'syslog-ng', 50, 'logs-syslog-ng', {}],
  ['winston-elasticsearch', 'winston-es', 49, 'logs-winston', {}],
  ['winston-elasticsearch, what was left', 'winston-es-2', 1, 'logs-winston', { level: 'INFO' }],
];

describe('requests of real programs', () => {
  it.each(PROGRAMS)(
    '%s: each document is stored once, also when all is sent again',
    async (_, name, count, source, expected) => {
      const before = await shiplog.store.eventCount();
      const replies = await replay(shiplog.port, recorded(name));
      for (const reply of replies) {
        expect(reply.status).toBe(200);
        expect(reply.head).toMatch(/^x-elastic-product: Elasticsearch$/m);
        expect(reply.head).toMatch(/^content-type: application\/json$/m);
        if (reply.body.includes('"items"')) expect(reply.body).toContain('"errors":false');
      }
      expect((await shiplog.store.eventCount()) - before).toBe(count);
      await replay(shiplog.port, recorded(name));
      expect((await shiplog.store.eventCount()) - before).toBe(count);
      const page = { limit: 1, backward: false, after: null, before: null, around: null };
      const [found] = await shiplog.store.events([
        { filter: { sources: [source] }, order: 'TIME', page: { ...page, withTotal: true } },
      ]);
      expect(found?.rows[0]?.node).toMatchObject({
        host: expect.stringMatching(/^try\w+-host$/),
        message: expect.stringMatching(/^try\w+ line \d{5} fetched part \d+ of 50$/),
        taskId: expect.stringMatching(/^(index|service)\/[\w.-]+\/2026-11-27$/),
        step: 'log',
        ...expected,
      });
    },
  );
});
