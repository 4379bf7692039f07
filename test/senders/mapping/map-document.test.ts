/** What documents of real programs become; the shapes are those that the programs send. */
import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../../../src/domain/event/exact-number.ts';
import { parseStepEvent } from '../../../src/domain/event/input.ts';
import { mapped, RECEIVED_AT } from '../documents.ts';

const AT = Date.UTC(2026, 10, 27, 2, 7, 3, 983);
const TIME = '2026-11-27T02:07:03.983Z';

/** Shape, document, event. `at` is AT, and `step` is log, where nothing else is said. */
const SHAPES: [string, Record<string, unknown>, Record<string, unknown>][] = [
  [
    'nested ECS, as the Elasticsearch clients send it',
    { '@timestamp': TIME, message: 'fetched', log: { level: 'info' }, host: { name: 'web-1' } },
    { taskId: 'index/logs-shop/2026-11-27', host: 'web-1', level: 'INFO', message: 'fetched' },
  ],
  [
    'flat ECS with dots',
    { '@timestamp': TIME, message: 'fetched', 'log.level': 'warn', 'host.name': 'web-1' },
    { taskId: 'index/logs-shop/2026-11-27', host: 'web-1', level: 'WARN', message: 'fetched' },
  ],
  [
    'logback',
    {
      '@timestamp': '2026-11-27T02:07:03.983+0000',
      message: 'm',
      host: 'h',
      level: 'ERROR',
      logger: 'shop',
    },
    { host: 'h', level: 'ERROR', message: 'm', labels: { logger: 'shop' } },
  ],
  [
    'logstash-logback-encoder',
    {
      '@timestamp': TIME,
      '@version': '1',
      message: 'm',
      logger_name: 'shop.Cart',
      thread_name: 'main',
      level: 'DEBUG',
      level_value: 10_000,
      HOSTNAME: 'ignored',
    },
    {
      level: 'DEBUG',
      labels: { logger: 'shop.Cart', thread: 'main' },
      params: { level_value: 10_000, HOSTNAME: 'ignored' },
      host: '10.0.0.9',
    },
  ],
  [
    'winston',
    { '@timestamp': TIME, message: 'm', severity: 'warn', fields: { host: 'web-7', part: 3 } },
    { host: 'web-7', level: 'WARN', message: 'm', params: { fields: { part: 3 } } },
  ],
  [
    'pino',
    { level: 50, time: AT, pid: 7, hostname: 'web-1', msg: 'boom', reqId: 'r-1' },
    {
      host: 'web-1',
      level: 'ERROR',
      message: 'boom',
      labels: { pid: 7 },
      params: { reqId: 'r-1' },
    },
  ],
  [
    'rsyslog',
    {
      '@timestamp': TIME,
      host: 'web-1',
      severity: 'warning',
      facility: 'daemon',
      syslogtag: 'sshd[4711]:',
      message: ' m',
    },
    {
      taskId: 'program/sshd/2026-11-27',
      host: 'web-1',
      level: 'WARN',
      message: ' m',
      labels: { program: 'sshd[4711]:' },
      params: { facility: 'daemon' },
    },
  ],
  [
    'syslog-ng',
    { '@timestamp': TIME, host: { name: 'web-1' }, message: 'm' },
    { host: 'web-1', message: 'm' },
  ],
  [
    'Filebeat with Docker metadata',
    {
      '@timestamp': TIME,
      agent: {
        type: 'filebeat',
        version: '7.17.29',
        hostname: 'node-3',
        ephemeral_id: 'e',
        id: 'i',
      },
      ecs: { version: '1.12.0' },
      container: {
        id: 'c0ffee',
        name: 'web-1',
        image: { name: 'shop:2' },
        labels: { team: 'cart' },
      },
      log: { file: { path: '/var/lib/docker/containers/c0ffee/c0ffee-json.log' }, offset: 1_234 },
      stream: 'stderr',
      input: { type: 'container' },
      message: 'm',
      host: { name: 'node-3' },
    },
    {
      taskId: 'container/web-1/2026-11-27',
      host: 'node-3',
      stream: 'STDERR',
      source: 'filebeat',
      labels: {
        container: 'web-1',
        container_id: 'c0ffee',
        image: 'shop:2',
        team: 'cart',
        file: '/var/lib/docker/containers/c0ffee/c0ffee-json.log',
      },
    },
  ],
  [
    'Filebeat with the labels of a deployment',
    {
      '@timestamp': TIME,
      container: { name: 'web-1', labels: { shiplog_task: 'release-7', shiplog_step: 'unpack' } },
      host: { name: 'node-3' },
      message: 'm',
    },
    { taskId: 'release-7', step: 'unpack', host: 'node-3', labels: { container: 'web-1' } },
  ],
  [
    'Fluent Bit with Kubernetes metadata',
    {
      date: AT / 1_000,
      log: 'm',
      stream: 'stdout',
      kubernetes: {
        pod_name: 'shop-0',
        namespace_name: 'prod',
        host: 'node-3',
        container_name: 'app',
        docker_id: 'c0ffee',
        container_image: 'shop:2',
        labels: { app: 'shop' },
      },
    },
    {
      taskId: 'pod/shop-0/2026-11-27',
      host: 'node-3',
      stream: 'STDOUT',
      message: 'm',
      labels: {
        container: 'app',
        container_id: 'c0ffee',
        image: 'shop:2',
        pod: 'shop-0',
        namespace: 'prod',
      },
      params: { kubernetes: { labels: { app: 'shop' } } },
    },
  ],
  [
    'Vector docker_logs',
    {
      timestamp: TIME,
      message: 'm',
      container_name: 'web-1',
      container_id: 'c0ffee',
      image: 'shop:2',
      host: 'node-3',
      stream: 'stdout',
      source_type: 'docker_logs',
      label: { team: 'cart' },
    },
    {
      taskId: 'container/web-1/2026-11-27',
      host: 'node-3',
      source: 'docker_logs',
      labels: { container: 'web-1', container_id: 'c0ffee', image: 'shop:2', team: 'cart' },
    },
  ],
  [
    'GELF',
    {
      version: '1.1',
      host: 'node-3',
      short_message: 'm',
      timestamp: AT / 1_000,
      level: 3,
      _container_name: 'web-1',
    },
    { taskId: 'container/web-1/2026-11-27', host: 'node-3', level: 'ERROR', message: 'm' },
  ],
  [
    'an agent that reports a deployment in fields of its own',
    {
      taskId: 'release-7',
      host: 'web-1',
      step: 'nginx-offline',
      status: 'FAILED',
      exitCode: 3,
      attempt: 2,
      at: TIME,
      message: 'm',
      error: { message: 'no upstream', code: 'E_UP' },
    },
    {
      taskId: 'release-7',
      host: 'web-1',
      step: 'nginx-offline',
      status: 'FAILED',
      exitCode: 3,
      attempt: 2,
      error: { message: 'no upstream', code: 'E_UP' },
    },
  ],
  [
    'OpenTelemetry fields',
    {
      '@timestamp': TIME,
      'service.name': 'cart',
      'trace.id': 't',
      'span.id': 's',
      severity_text: 'ERROR2',
      body: 'm',
    },
    {
      taskId: 'service/cart/2026-11-27',
      level: 'ERROR',
      message: 'm',
      labels: { service: 'cart', trace_id: 't', span_id: 's' },
    },
  ],
];

describe('a foreign document', () => {
  it.each(SHAPES)('comes in as it is: %s', (_, fields, expected) => {
    const { event, misfits } = mapped(fields);
    expect(event).toMatchObject({ step: 'log', at: AT, ...expected });
    expect(misfits).toEqual([]);
    expect(parseStepEvent(event, RECEIVED_AT).ok).toBe(true);
  });

  it('of a day goes to the task of that day, whenever it arrives', () => {
    const late = mapped({
      '@timestamp': '2026-11-21T23:59:59.9Z',
      message: 'm',
      container_name: '/web-1',
    });
    expect(late.event.taskId).toBe('container/web-1/2026-11-21');
  });

  it('of an index with a date in its name goes to one source', () => {
    const of = (index: string) =>
      mapped({ '@timestamp': TIME, message: 'm' }, { index }).event.taskId;
    expect(of('logs-shop-2026.11.27')).toBe('index/logs-shop/2026-11-27');
    expect(of('filebeat-7.17.29-2026.11.27-000001')).toBe('index/filebeat-7.17.29/2026-11-27');
    expect(of('logs-2026-11')).toBe('index/logs/2026-11-27');
    expect(of('2026.11.27')).toBe('index/2026.11.27/2026-11-27');
  });

  it('without a deployment says nothing of how one goes, whatever it calls its status', () => {
    const { event } = mapped({ '@timestamp': TIME, message: 'm', status: 'failed', exitCode: 1 });
    expect(event).not.toHaveProperty('status');
    expect(event.params).toEqual({ status: 'failed', exitCode: 1 });
  });

  it('with a time that cannot be read is told, and keeps it', () => {
    const { event, misfits, timeIsFine } = mapped({ '@timestamp': 'noon', message: 'm' });
    expect(event).toMatchObject({ at: RECEIVED_AT, params: { '@timestamp': 'noon' } });
    expect(misfits).toEqual([{ reason: 'time', field: '@timestamp' }]);
    expect(timeIsFine).toBe(false);
  });

  it('with a line that is too long is cut and marked, not lost', () => {
    const { event, misfits } = mapped({ '@timestamp': TIME, message: 'x'.repeat(100_000) });
    const message = event.message as string;
    expect(message).toHaveLength(65_536);
    expect(message).toMatch(/x … \[cut, it had 100,000 characters\]$/);
    expect(misfits).toEqual([{ reason: 'cut', field: 'message' }]);
  });

  it('with more than params can hold loses the last of it, and says so', () => {
    const extra = Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [`field-${i}`, 'y'.repeat(100)]),
    );
    const { event, misfits } = mapped({ '@timestamp': TIME, message: 'm', ...extra });
    expect(Object.keys(event.params ?? {}).length).toBeGreaterThan(100);
    expect(misfits.length).toBeGreaterThan(100);
    expect(misfits[0]).toMatchObject({ reason: 'attribute' });
    expect(parseStepEvent(event, RECEIVED_AT).ok).toBe(true);
  });

  it('keeps what the protocol says above what its fields say', () => {
    const { event } = mapped(
      { '@timestamp': TIME, message: 'm', host: 'x' },
      { said: { host: 'h', message: 'said', at: 5e12, writer: { kind: 'container', name: 'c' } } },
    );
    expect(event).toMatchObject({ host: 'h', message: 'said', at: 5e12 });
    expect(event.taskId).toBe('container/c/2128-06-11');
  });

  it.each<[string, Record<string, unknown>]>([
    ['nothing at all', {}],
    ['names of control characters', { host: '\u0001', taskId: '\n', message: 'a\0b\ud800' }],
    ['a host that is a pattern', { host: 'web-*', message: 'm' }],
    ['numbers for names', { taskId: 7, host: 8, step: 9, message: 10 }],
    [
      'ids with more digits than a double',
      { taskId: new ExactNumber('9007199254740993'), message: 'm' },
    ],
    [
      'names that are too long',
      { taskId: 't'.repeat(9_000), host: 'h'.repeat(9_000), step: 's'.repeat(9_000) },
    ],
    ['lists and objects for texts', { message: ['a'], host: ['b'], level: { a: 1 }, time: {} }],
    [
      'keys that lead to prototypes',
      JSON.parse('{"__proto__":{"x":1},"constructor":{"y":2},"a.__proto__.b":3}'),
    ],
    ['paths with holes', { '.': 1, '..': 2, 'a.': 3, '.b': 4, '': 5 }],
    ['one path twice, as leaf and as branch', { a: 1, 'a.b': 2, 'a.b.c': 3 }],
    ['a very deep object', deep(200)],
    ['a thousand keys', Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`k${i}`, i]))],
    [
      'numbers that JSON has none for',
      { message: 'm', x: Number.POSITIVE_INFINITY, labels: { y: Number.NaN } },
    ],
    [
      'a hundred labels',
      { labels: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`l${i}`, i])) },
    ],
    ['objects in lists in objects', { a: [{ b: [{ c: [{ d: [{ e: [{ f: 1 }] }] }] }] }] }],
  ])('is never refused: %s', (_, fields) => {
    const { event } = mapped(fields);
    const parsed = parseStepEvent(event, RECEIVED_AT);
    expect(parsed.ok ? null : parsed.problem).toBeNull();
  });
});

function deep(levels: number): Record<string, unknown> {
  return levels === 0 ? { end: 1 } : { down: deep(levels - 1) };
}
