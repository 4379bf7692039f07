/**
 * Elasticsearch's way to send documents: `_bulk`, `_doc`, `_create` and what clients ask around
 * them, below a mount on the main port and at the root of a port of its own. What is said here is
 * HTTP; the protocol is in `senders/elasticsearch/`.
 */
import type { ServerResponse } from 'node:http';
import { ShiplogError } from '../../domain/errors.ts';
import { bulkReply, decidedItem } from '../../senders/elasticsearch/bulk-reply.ts';
import {
  type ActionName,
  checkAction,
  readDocument,
} from '../../senders/elasticsearch/bulk-request.ts';
import {
  type Refusal,
  refusalFor,
  takesConflictsForFailures,
  versionFor,
} from '../../senders/elasticsearch/clients.ts';
import {
  ElasticsearchError,
  elasticsearchError,
  isForNow,
} from '../../senders/elasticsearch/errors.ts';
import { filterPath } from '../../senders/elasticsearch/filter-path.ts';
import { answerHandshake } from '../../senders/elasticsearch/handshake.ts';
import { bodyDigest } from '../../senders/identity.ts';
import type { DocumentOutcome, Senders } from '../../senders/senders.ts';
import { type BodyBudget, withBytes } from '../body/body.ts';
import { closeAfterAnswer, errorHeaders, sendText } from '../reply.ts';
import type { Exchange, Route } from '../route.ts';
import { allActions, BulkIntake } from './elasticsearch/bulk-intake.ts';

export interface ElasticsearchOptions {
  senders: Senders;
  maxBodyBytes: number;
  budget: BodyBudget;
  now: () => number;
}

/** Clients send up to 10 MB (Vector), 20 MiB (Logstash) at a time, and most of them drop a 413. */
export const BULK_FACTOR = 4;

/** `mount`: `/es`, or nothing where it has a port of its own. */
export function elasticsearchRoute(options: ElasticsearchOptions, mount: string): Route {
  return {
    name: '/es',
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    access: 'ingest',
    anyScheme: true,
    errors: answerError,
    async handle(exchange) {
      try {
        await answer(exchange, options, mount);
      } catch (error) {
        if (!(error instanceof ElasticsearchError)) throw error;
        closeAfterAnswer(exchange.request, exchange.response);
        send(exchange.response, error.status, error.body);
      }
    },
  };
}

/** Whether the address is below the mount, with and without the closing slash. */
export function isBelow(mount: string, path: string): boolean {
  return path === mount || path.startsWith(`${mount}/`);
}

async function answer(
  exchange: Exchange,
  options: ElasticsearchOptions,
  mount: string,
): Promise<void> {
  const { request, response, url } = exchange;
  const segments = segmentsOf(url.pathname.slice(mount.length));
  const method = request.method ?? 'GET';
  const userAgent = request.headers['user-agent'];
  const filter = url.searchParams.get('filter_path');
  if (method === 'POST' || method === 'PUT') {
    const bulk = bulkIndex(segments);
    if (bulk !== null) return takeBulk(exchange, options, bulk.index, filter);
    const one = singleAction(segments, url);
    if (one !== null) return takeOne(exchange, options, one);
  }
  const { status, body } = answerHandshake({ method, segments, version: versionFor(userAgent) });
  // The body (a template, a policy) is of no use to us; it is read so that the connection can be
  // used again.
  request.resume();
  send(response, status, filter === null ? body : filterPath(body, filter));
}

/** Throws an ElasticsearchError for an address that cannot be read. */
function segmentsOf(path: string): string[] {
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    throw new ElasticsearchError(400, 'illegal_argument_exception', 'the address cannot be read');
  }
}

/** `/_bulk`, `/{index}/_bulk`, `/{index}/{type}/_bulk`; null: another address. */
function bulkIndex(segments: readonly string[]): { index: string | null } | null {
  if (segments.at(-1) !== '_bulk' || segments.length > 3) return null;
  return { index: segments.length === 1 ? null : (segments[0] ?? null) };
}

interface SingleAction {
  name: ActionName;
  index: string;
  id: string | null;
}

function singleAction(segments: readonly string[], url: URL): SingleAction | null {
  const [index, type, id, ...more] = segments;
  if (index === undefined || index.startsWith('_') || more.length > 0) return null;
  if (type === '_create') return id === undefined ? null : { name: 'create', index, id };
  if (type !== '_doc') return null;
  const creates = url.searchParams.get('op_type') === 'create';
  return { name: creates ? 'create' : 'index', index, id: id ?? null };
}

function withDocuments<T>(
  { request, principal }: Exchange,
  { maxBodyBytes, budget }: ElasticsearchOptions,
  use: (bytes: Buffer) => Promise<T>,
): Promise<T> {
  const limit = maxBodyBytes * BULK_FACTOR;
  return withBytes(request, { limit, budget, sender: principal.tokenId }, use);
}

async function takeBulk(
  exchange: Exchange,
  options: ElasticsearchOptions,
  pathIndex: string | null,
  filter: string | null,
): Promise<void> {
  const { request, response } = exchange;
  const startedAt = performance.now();
  const refusal = refusalFor(request.headers['user-agent'], request.headers['content-type']);
  const items = await refusing(exchange, refusal, () =>
    withDocuments(exchange, options, async (body) => {
      const actions = await allActions(body, pathIndex);
      const { principal } = exchange;
      const bulk = { body, actions, principal, refusal };
      return new BulkIntake(options.senders, options.now, bulk).take(pathIndex ?? '');
    }),
  );
  if (items === null) return;
  const reply = bulkReply(Math.round(performance.now() - startedAt), items);
  const conflicts = reply.items.every((item) => Object.values(item)[0]?.status === 409);
  if (conflicts && takesConflictsForFailures(request.headers['user-agent'])) reply.errors = false;
  send(response, 200, filter === null ? reply : filterPath(reply, filter));
}

/** null: answered, for it cannot be taken now. */
async function refusing<T>(
  { request, response }: Exchange,
  refusal: Refusal,
  work: () => Promise<T>,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ShiplogError) || !isForNow(error)) throw error;
    if (refusal === 'cut') {
      request.socket.destroy();
      return null;
    }
    closeAfterAnswer(request, response);
    const told = elasticsearchError(error);
    // Clients that wait with single items try a whole request again at 503, and not at 429.
    const status = refusal === 'request' ? told.status : 503;
    send(response, status, { ...told.body, status }, errorHeaders(error));
    return null;
  }
}

async function takeOne(
  exchange: Exchange,
  options: ElasticsearchOptions,
  action: SingleAction,
): Promise<void> {
  const { request, response, principal, url } = exchange;
  checkAction(action);
  const refusal = refusalFor(request.headers['user-agent'], request.headers['content-type']);
  const outcome = await refusing(exchange, refusal, () =>
    withDocuments(exchange, options, async (body) => {
      const line = { from: 0, to: body.length };
      const { fields, replaced, index, id } = readDocument(body, { ...action, line });
      if (replaced) options.senders.noteMisfit({ reason: 'text', field: '' }, index);
      const identity =
        id === null
          ? ({ by: 'body', digest: bodyDigest(body, index), ordinal: 0 } as const)
          : ({ by: 'id', space: index, id } as const);
      const receivedAt = options.now();
      const document = { kind: 'elasticsearch', index, identity, fields, receivedAt } as const;
      const [decided] = await options.senders.take([document], principal);
      return decided as DocumentOutcome;
    }),
  );
  if (outcome === null) return;
  const { status, error, ...item } = decidedItem(action, outcome);
  if (error !== undefined) throw new ElasticsearchError(status, error.type, error.reason);
  const filter = url.searchParams.get('filter_path');
  send(response, status, filter === null ? item : filterPath(item, filter));
}

function answerError(response: ServerResponse, error: ShiplogError): void {
  const told = elasticsearchError(error);
  send(response, told.status, told.body, errorHeaders(error));
}

/** Official clients refuse an answer without the product's header, whatever else it says. */
function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  sendText(response, status, 'application/json', JSON.stringify(body), {
    'x-elastic-product': 'Elasticsearch',
    'cache-control': 'no-store',
    ...headers,
  });
}
