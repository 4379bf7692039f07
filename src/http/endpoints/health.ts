/**
 * What orchestrators and operators ask: `/livez` (the process answers; never looks at the store),
 * `/readyz` (may get traffic), `/metrics`, `/version`, `/schema.graphql`.
 */
import { sendJson, sendText } from '../reply.ts';
import type { Route } from '../route.ts';

export interface HealthOptions {
  version: string;
  engine: string;
  /** The printed schema. */
  schema: string;
  /** null: ready. Else why not, in words; no secrets. Must answer within a second or so. */
  notReady: () => Promise<string | null>;
  metricsText: () => Promise<string>;
  metricsType: string;
  /** Whether there are tokens; then metrics need the scope `read`, version and schema any token. */
  tokens: boolean;
}

export function healthRoutes(options: HealthOptions): Map<string, Route> {
  const get = (
    name: string,
    handle: Route['handle'],
    access: Route['access'] = 'open',
  ): [string, Route] => [name, { name, methods: ['GET'], access, errors: 'plain', handle }];
  // What runs and what it understands is the business of those who may use it.
  const known = options.tokens ? 'any' : 'open';
  return new Map([
    get('/livez', ({ response }) => sendJson(response, 200, { ok: true })),
    get('/readyz', async ({ response }) => {
      const reason = await options.notReady();
      const body = reason === null ? { ok: true } : { ok: false, reason };
      sendJson(response, reason === null ? 200 : 503, body, reason ? { 'retry-after': '1' } : {});
    }),
    get(
      '/version',
      ({ response }) => {
        const { version, engine } = options;
        sendJson(response, 200, { version, engine, node: process.version });
      },
      known,
    ),
    get(
      '/schema.graphql',
      ({ response }) => {
        sendText(response, 200, 'text/plain; charset=utf-8', options.schema);
      },
      known,
    ),
    get(
      '/metrics',
      async ({ response }) => {
        sendText(response, 200, options.metricsType, await options.metricsText(), {
          'cache-control': 'no-store',
        });
      },
      options.tokens ? 'read' : 'open',
    ),
  ]);
}
