/**
 * Addresses that programs know from other servers and that are none of ours: a sentence that says
 * where to go, in the shape in which the program shows it.
 */
import type { ServerResponse } from 'node:http';
import { ElasticsearchError } from '../../senders/elasticsearch/errors.ts';
import { sendJson, sendText } from '../reply.ts';
import type { Route } from '../route.ts';

const PLACE = 'see docs/senders of Shiplog for what it takes';

interface ForeignPath {
  pattern: RegExp;
  answer: (response: ServerResponse) => void;
}

const FOREIGN: readonly ForeignPath[] = [
  {
    pattern: /^\/(?:[^/]+\/)?_(?:bulk|doc|create|search|msearch)(?:\/|$)/,
    answer(response) {
      const { status, body } = new ElasticsearchError(
        404,
        'resource_not_found_exception',
        'Shiplog serves Elasticsearch clients below /es: use http://…/es as the address, or the port SHIPLOG_ES_PORT',
      );
      sendJson(response, status, body, { 'x-elastic-product': 'Elasticsearch' });
    },
  },
  {
    pattern: /^\/v1\/(?:traces|metrics)$/,
    answer(response) {
      sendJson(response, 404, {
        code: 5,
        message: `Shiplog takes no OTLP but logs, at /v1/logs; ${PLACE}`,
      });
    },
  },
  {
    pattern: /^\/services\/collector(?:\/|$)/,
    answer(response) {
      const text = `Shiplog takes events at /services/collector/event and /raw; ${PLACE}`;
      sendJson(response, 404, { text, code: 404 });
    },
  },
  {
    pattern: /^\/(?:loki\/)?api\/v1\/push$|^\/api\/prom\/push$/,
    answer(response) {
      sendText(
        response,
        404,
        'text/plain; charset=utf-8',
        `Shiplog does not take Loki's push; ${PLACE}\n`,
      );
    },
  },
  {
    pattern: /^\/(?:api\/v2\/logs|v1\/input)$/,
    answer(response) {
      sendJson(response, 404, { errors: [`Shiplog does not take Datadog's logs; ${PLACE}`] });
    },
  },
  {
    pattern: /^\/gelf$/,
    answer(response) {
      sendJson(response, 404, { error: `Shiplog does not take GELF; ${PLACE}` });
    },
  },
];

/** null: nobody knows the address. */
export function foreignRoute(path: string): Route | null {
  const found = FOREIGN.find(({ pattern }) => pattern.test(path));
  if (found === undefined) return null;
  return {
    name: 'foreign',
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    access: 'open',
    errors: 'plain',
    handle: ({ request, response }) => {
      request.resume();
      found.answer(response);
    },
  };
}
