/** Numbers for Prometheus: the process's, HTTP's, and what the other parts count themselves. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface HttpMetrics {
  /** One answered request. */
  observe(route: string, method: string, status: number, seconds: number): void;
  activeRequests: Gauge;
  /** Counted by what holds the sockets; 0 when everybody has gone. */
  websocketConnections: Gauge;
  subscriptions: Gauge<'transport'>;
  rejectedConnections: Counter<'reason'>;
  text(): Promise<string>;
  readonly contentType: string;
}

/** By Prometheus name without the prefix; `…_total` is a counter, all else a gauge. */
export type Numbers = () => Readonly<Record<string, number>>;

const PREFIX = 'shiplog_';

export function createMetrics(
  build: { version: string; engine: string },
  sources: readonly Numbers[],
): HttpMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: `${PREFIX}build_info`,
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'engine', 'node'],
    registers,
  }).set({ ...build, node: process.version }, 1);
  const duration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer.',
    labelNames: ['http_request_method', 'http_response_status_code', 'http_route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const subscriptions = new Gauge({
    name: `${PREFIX}subscriptions`,
    help: 'Subscriptions that clients hold open.',
    labelNames: ['transport'],
    registers,
  });
  for (const transport of ['websocket', 'sse']) subscriptions.set({ transport }, 0);
  return {
    observe(route, method, status, seconds) {
      const labels = {
        http_request_method: method,
        http_response_status_code: status,
        http_route: route,
      };
      duration.observe(labels, seconds);
    },
    activeRequests: new Gauge({
      name: 'http_server_active_requests',
      help: 'Requests that are being answered.',
      registers,
    }),
    websocketConnections: new Gauge({
      name: `${PREFIX}ws_connections`,
      help: 'Open websockets.',
      registers,
    }),
    subscriptions,
    rejectedConnections: new Counter({
      name: `${PREFIX}refused_requests_total`,
      help: 'Requests and upgrades refused before they reached an endpoint.',
      labelNames: ['reason'],
      registers,
    }),
    async text() {
      const lines = sources.flatMap((source) =>
        Object.entries(source()).map(([name, value]) => {
          const type = name.replace(/\{.*/, '').endsWith('_total') ? 'counter' : 'gauge';
          return { name: `${PREFIX}${name}`, type, value };
        }),
      );
      return `${await registry.metrics()}\n${render(lines)}`;
    },
    contentType: registry.contentType,
  };
}

function render(lines: readonly { name: string; type: string; value: number }[]): string {
  const described = new Set<string>();
  let text = '';
  for (const { name, type, value } of lines) {
    const family = name.replace(/\{.*/, '');
    if (!described.has(family)) text += `# TYPE ${family} ${type}\n`;
    described.add(family);
    text += `${name} ${Number.isFinite(value) ? value : 'NaN'}\n`;
  }
  return text;
}
