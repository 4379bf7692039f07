/**
 * Splunk's HTTP Event Collector, which Docker's log driver `splunk` sends to. The driver asks with
 * OPTIONS at a container's start, which fails unless the answer is 200; and it sends everything
 * again that was answered with anything else, so one event that is none must not refuse the others.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERROR_CODES, ShiplogError } from '../../domain/errors.ts';
import {
  type Defaults,
  hecDocuments,
  rawDocuments,
  UNREADABLE,
} from '../../senders/splunk/hec-documents.ts';
import { takeAll } from '../../senders/take-all.ts';
import { foreignToken } from '../auth.ts';
import { parseJson, refuseUntoldGzip, utf8, withBody, withBytes } from '../body/body.ts';
import { errorHeaders, sendJson } from '../reply.ts';
import type { Exchange, Route } from '../route.ts';
import { refuseWhileDraining, type SenderEndpointOptions } from './otlp.ts';

export interface SplunkOptions extends SenderEndpointOptions {
  /** What /readyz says: null, or why nothing can be stored. */
  notReady: () => Promise<string | null>;
}

const ROOT = '/services/collector';

/** By address: each with and without the protocol's version behind it. */
export function splunkRoutes(options: SplunkOptions): Map<string, Route> {
  const events = collect(options, '/event', hecDocuments);
  const lines = collect(options, '/raw', rawDocuments);
  const health = healthRoute(options);
  const routes = new Map([[ROOT, events]]);
  for (const [path, route] of [
    ['event', events],
    ['raw', lines],
    ['health', health],
    ['ack', ackRoute(options)],
  ] as const) {
    routes.set(`${ROOT}/${path}`, route);
    routes.set(`${ROOT}/${path}/1.0`, route);
  }
  return routes;
}

function collect(
  options: SplunkOptions,
  path: string,
  read: typeof hecDocuments | typeof rawDocuments,
): Route {
  const { senders, maxBodyBytes, budget, now } = options;
  let requests = 0;
  return {
    name: `${ROOT}${path}`,
    methods: ['POST', 'OPTIONS'],
    access: 'ingest',
    anyScheme: true,
    errors: sendProblem,
    async handle({ request, response, url, principal }) {
      if (request.method === 'OPTIONS') {
        response.setHeader('allow', 'OPTIONS, POST');
        sendJson(response, 200, SUCCESS);
        return;
      }
      refuseWhileDraining(options);
      const body = { limit: maxBodyBytes, budget, sender: principal.tokenId };
      await withBytes(request, body, async (bytes) => {
        const documents = read(textOf(bytes, options), defaultsOf(url), now());
        const { stored, rejected } = await takeAll(senders, documents, principal);
        if (stored + rejected === 0) throw new HecError(400, 5, 'No data');
        if (stored === 0) throw new HecError(400, 6, 'Invalid data format');
        requests++;
        sendJson(response, 200, {
          ...SUCCESS,
          ...(channelOf(request, url) === null ? {} : { ackId: requests }),
          ...(rejected === 0 ? {} : { rejected, reason: UNREADABLE.message }),
        });
      });
    },
  };
}

const SUCCESS = { text: 'Success', code: 0 };

const lenientUtf8 = new TextDecoder();

/** Bytes that are no UTF-8 would be sent again for ever if they were refused. */
function textOf(bytes: Buffer, { senders }: SplunkOptions): string {
  refuseUntoldGzip(bytes);
  try {
    return utf8(bytes);
  } catch {
    senders.noteMisfit({ reason: 'text', field: '' }, 'splunk');
    return lenientUtf8.decode(bytes);
  }
}

const DEFAULTS = ['host', 'source', 'sourcetype', 'index', 'time'];

function defaultsOf({ searchParams }: URL): Defaults {
  return Object.fromEntries(
    DEFAULTS.flatMap((name) => {
      const value = searchParams.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}

function channelOf(request: IncomingMessage, url: URL): string | null {
  const header = request.headers['x-splunk-request-channel'];
  return typeof header === 'string' ? header : url.searchParams.get('channel');
}

/** Open, as Splunk's is: load balancers ask. */
function healthRoute({ notReady, draining }: SplunkOptions): Route {
  return {
    name: `${ROOT}/health`,
    methods: ['GET'],
    access: 'open',
    errors: sendProblem,
    async handle({ response }) {
      if (draining()) sendJson(response, 503, { text: 'Server is shutting down', code: 23 });
      else if ((await notReady()) === null) {
        sendJson(response, 200, { text: 'HEC is healthy', code: 17 });
      } else sendJson(response, 503, { text: 'HEC is unhealthy', code: 18 });
    },
  };
}

/** Everything that was answered with 200 is stored, so that every acknowledgement is there. */
function ackRoute({ maxBodyBytes, budget }: SplunkOptions): Route {
  return {
    name: `${ROOT}/ack`,
    methods: ['POST'],
    access: 'ingest',
    anyScheme: true,
    errors: sendProblem,
    async handle({ request, response, principal }: Exchange) {
      const body = { limit: maxBodyBytes, budget, sender: principal.tokenId };
      await withBody(request, body, (text) => {
        const { acks } = (parseJson(text) ?? {}) as { acks?: unknown };
        if (!Array.isArray(acks)) throw new HecError(400, 6, 'Invalid data format');
        const known = acks.filter((id): id is number => typeof id === 'number');
        sendJson(response, 200, { acks: Object.fromEntries(known.map((id) => [id, true])) });
      });
    },
  };
}

/** An error of the protocol that Shiplog has no code for. */
class HecError extends ShiplogError {
  readonly status: number;
  readonly number: number;

  constructor(status: number, number: number, message: string) {
    super('BAD_REQUEST', message);
    this.status = status;
    this.number = number;
  }
}

/** Splunk's own numbers; what it has none for is an error in general. */
const NUMBERS: Partial<Record<ShiplogError['code'], number>> = {
  FORBIDDEN: 4,
  OVERLOADED: 9,
  BODY_TIMEOUT: 9,
  STORE_UNAVAILABLE: 9,
  STORE_FULL: 9,
  SHUTTING_DOWN: 23,
  BAD_REQUEST: 6,
};

function sendProblem(response: ServerResponse, error: ShiplogError): void {
  if (error instanceof HecError) {
    sendJson(response, error.status, { text: error.message, code: error.number });
    return;
  }
  const { status } = ERROR_CODES[error.code];
  const missing = foreignToken(response.req.headers.authorization) === null;
  const code = error.code === 'UNAUTHENTICATED' ? (missing ? 2 : 4) : (NUMBERS[error.code] ?? 8);
  const headers = status === 500 ? { 'retry-after': '1' } : errorHeaders(error);
  sendJson(response, status === 500 ? 503 : status, { text: error.message, code }, headers);
}
