/** Numbers for Prometheus: the process's, HTTP's, and what the other parts count themselves. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { METRIC_HELP } from './metric-help.ts';

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

/**
 * By Prometheus name without the prefix, with its labels (`redactions_total{rule="key"}`);
 * `…_total` is a counter, all else a gauge. `metric-help.ts` says what each means.
 */
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
  const counted = new Counted(registry, sources);
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
    text: () => {
      counted.look();
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** Numbers of other parts as metrics of the registry, each made when it is first seen. */
class Counted {
  readonly #registry: Registry;
  readonly #sources: readonly Numbers[];
  #families = new Map<string, Sample[]>();
  readonly #known = new Set<string>();

  constructor(registry: Registry, sources: readonly Numbers[]) {
    this.#registry = registry;
    this.#sources = sources;
  }

  look(): void {
    this.#families = new Map();
    for (const source of this.#sources) {
      for (const [key, value] of Object.entries(source())) this.#note(key, value);
    }
    for (const [name, samples] of this.#families) {
      if (!this.#known.has(name)) this.#register(name, samples);
    }
  }

  #note(key: string, value: number): void {
    const [name = '', labels = ''] = key.split('{');
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text]);
    const sample = { labels: Object.fromEntries(pairs) as Sample['labels'], value };
    const samples = this.#families.get(name);
    if (samples === undefined) this.#families.set(name, [sample]);
    else samples.push(sample);
  }

  #register(name: string, samples: readonly Sample[]): void {
    this.#known.add(name);
    const options = {
      name: `${PREFIX}${name}`,
      help: METRIC_HELP[name] ?? 'Not described.',
      labelNames: Object.keys(samples[0]?.labels ?? {}),
      registers: [this.#registry],
    };
    const latest = (): readonly Sample[] => this.#families.get(name) ?? [];
    if (name.endsWith('_total')) {
      new Counter({
        ...options,
        collect() {
          this.reset();
          for (const { labels, value } of latest()) this.inc(labels, value);
        },
      });
    } else {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          for (const { labels, value } of latest()) this.set(labels, value);
        },
      });
    }
  }
}
