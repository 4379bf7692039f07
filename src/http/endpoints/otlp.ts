/**
 * POST /v1/logs: log records of OpenTelemetry, in protobuf or JSON. What cannot be taken now is
 * answered 503 or 429 with Retry-After and never anything else: exporters lose a batch at a 500,
 * and most of them at a connection that closes.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERROR_CODES, type InputProblem, ShiplogError } from '../../domain/errors.ts';
import type { ForeignDocument } from '../../senders/foreign-document.ts';
import { bodyDigest } from '../../senders/identity.ts';
import {
  CONTENT_TYPES,
  type Encoding,
  type PartialSuccess,
  statusBody,
  successBody,
} from '../../senders/otlp/answers.ts';
import { documentOfRecord, type FoundRecord } from '../../senders/otlp/log-record.ts';
import { readJsonLogs } from '../../senders/otlp/logs-json.ts';
import { readProtobufLogs } from '../../senders/otlp/logs-protobuf.ts';
import { ProtobufError } from '../../senders/otlp/protobuf.ts';
import type { Senders } from '../../senders/senders.ts';
import { type Taken, takeAll } from '../../senders/take-all.ts';
import { type BodyBudget, parseJson, refuseUntoldGzip, withBytes } from '../body/body.ts';
import { errorHeaders, sendText } from '../reply.ts';
import type { Route } from '../route.ts';

export interface SenderEndpointOptions {
  senders: Senders;
  maxBodyBytes: number;
  budget: BodyBudget;
  now: () => number;
  /** The server is about to stop: what comes is for another one, or for this one's successor. */
  draining: () => boolean;
}

export function otlpRoute(options: SenderEndpointOptions): Route {
  const { senders, maxBodyBytes, budget, now } = options;
  return {
    name: '/v1/logs',
    methods: ['POST'],
    access: 'ingest',
    errors: sendStatus,
    async handle({ request, response, principal }) {
      refuseWhileDraining(options);
      const encoding = encodingOf(request);
      if (encoding === null) throw wrongType(request);
      const body = { limit: maxBodyBytes, budget, sender: principal.tokenId };
      await withBytes(request, body, async (bytes) => {
        refuseUntoldGzip(bytes);
        if (encoding === 'json' && !isUtf8(bytes)) {
          senders.noteMisfit({ reason: 'text', field: '' }, 'otlp');
        }
        const found = readerOf(bytes, encoding);
        const taken = await takeAll(senders, documentsOf(found, bytes, now()), principal);
        const partial = partialSuccess(taken);
        // Nothing of it could be read at all.
        if (partial !== null && taken.stored === 0 && taken.problem?.code === 'BAD_JSON') {
          throw new ShiplogError('BAD_REQUEST', partial.message);
        }
        send(response, 200, encoding, successBody(encoding, partial), {});
      });
    },
  };
}

/** Throws SHUTTING_DOWN, which senders take as "again, soon". */
export function refuseWhileDraining({ draining }: Pick<SenderEndpointOptions, 'draining'>): void {
  if (draining()) throw new ShiplogError('SHUTTING_DOWN', 'The server is stopping; try again.');
}

function encodingOf(request: IncomingMessage): Encoding | null {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return 'json';
  return type === 'application/x-protobuf' || type === 'application/protobuf' ? 'protobuf' : null;
}

function wrongType(request: IncomingMessage): ShiplogError {
  const type = JSON.stringify((request.headers['content-type'] ?? '').slice(0, 60));
  const message = `Content-Type ${type} is not read; send application/x-protobuf or application/json`;
  return new ShiplogError('UNSUPPORTED_MEDIA_TYPE', message, { field: 'content-type' });
}

const text = new TextDecoder();

function readerOf(bytes: Buffer, encoding: Encoding): Iterable<FoundRecord | null> {
  if (encoding === 'protobuf') return readProtobufLogs(bytes);
  return bytes.length === 0 ? [] : readJsonLogs(parseJson(text.decode(bytes)));
}

/** Where a body is damaged, what stands before the damage is taken, and the rest is told. */
function* documentsOf(
  found: Iterable<FoundRecord | null>,
  bytes: Buffer,
  receivedAt: number,
): Generator<ForeignDocument | InputProblem, void, undefined> {
  const digest = bodyDigest(bytes, '/v1/logs');
  let ordinal = 0;
  try {
    for (const one of found) {
      if (one === null) yield problem(`Log record ${ordinal} is not an object`);
      else yield documentOfRecord(one, digest, ordinal, receivedAt);
      ordinal++;
    }
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    yield problem(error.message);
  }
}

function problem(message: string): InputProblem {
  return { code: 'BAD_JSON', message, field: null };
}

function partialSuccess({ rejected, problem: first }: Taken): PartialSuccess | null {
  if (rejected === 0) return null;
  return { rejected, message: first === null ? '' : `${first.code}: ${first.message}` };
}

function sendStatus(response: ServerResponse, error: ShiplogError): void {
  const encoding = encodingOf(response.req) ?? 'json';
  const { code, message } = error;
  const { status } = ERROR_CODES[code];
  const body = statusBody(encoding, code, message);
  // A fault of ours may be gone at the next try; at a 500 there is none.
  if (status === 500) send(response, 503, encoding, body, { 'retry-after': '1' });
  else send(response, status, encoding, body, errorHeaders(error));
}

function send(
  response: ServerResponse,
  status: number,
  encoding: Encoding,
  body: Buffer,
  headers: Record<string, string>,
): void {
  sendText(response, status, CONTENT_TYPES[encoding], body, headers);
}
