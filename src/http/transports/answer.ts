/** What an answer over HTTP is: which type the client gets, which status, which text. */
import type { ServerResponse } from 'node:http';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { ERROR_CODES, type ErrorCode, ShiplogError } from '../../domain/errors.ts';
import { hasData } from '../../graphql/operation/result-stream.ts';
import { sendText } from '../reply.ts';

const RESPONSE_JSON = 'application/graphql-response+json';
export const JSON_TYPE = 'application/json';
export const EVENT_STREAM = 'text/event-stream';
export type AnswerType = typeof RESPONSE_JSON | typeof JSON_TYPE | typeof EVENT_STREAM;

const ANSWERS = new Map<string, AnswerType>([
  [RESPONSE_JSON, RESPONSE_JSON],
  [JSON_TYPE, JSON_TYPE],
  [EVENT_STREAM, EVENT_STREAM],
  ['application/*', JSON_TYPE],
  ['*/*', JSON_TYPE],
]);

/**
 * The types that `Accept` takes, the one with the greatest weight first, as it lists them
 * otherwise; JSON where the client does not say, or takes nothing that we have.
 */
export function acceptedTypes(accept: string | undefined): AnswerType[] {
  const weighed = (accept ?? '')
    .split(',')
    .map((part) => {
      const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const weight = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
      return { type: ANSWERS.get(range), weight };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  const types = weighed.map(({ type }) => type).filter((type) => type !== undefined);
  return types.length > 0 ? types : [JSON_TYPE];
}

export interface Answer {
  status: number;
  /** All but the length and those that every answer has. */
  headers: Record<string, string>;
  text: string;
}

/** In plain JSON a well-formed request is a 200, whatever its errors: so the draft has it. */
export function answerOf(
  result: ExecutionResult,
  type: Exclude<AnswerType, typeof EVENT_STREAM>,
): Answer {
  const { errors = [] } = result;
  const ok = errors.length === 0 || type === JSON_TYPE || hasData(result);
  return {
    status: ok ? 200 : (statusOf(errors) ?? 400),
    headers: headersOf(type, errors),
    text: textOf(result),
  };
}

/** A request that was refused for what it is: its status says so in every type. */
export function refusalOf(
  error: GraphQLError,
  type: Exclude<AnswerType, typeof EVENT_STREAM>,
): Answer {
  return {
    status: statusOf([error]) ?? 400,
    headers: headersOf(type, [error]),
    text: JSON.stringify({ errors: [error] }),
  };
}

export function sendAnswer(response: ServerResponse, { status, headers, text }: Answer): void {
  sendText(response, status, headers['content-type'] as string, text, headers);
}

function headersOf(type: string, errors: readonly GraphQLError[]): Record<string, string> {
  const wait = errors.find(({ extensions }) => extensions.retryAfterMs !== undefined);
  const seconds = Math.ceil(Number(wait?.extensions.retryAfterMs ?? 0) / 1000);
  return {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
    ...(wait === undefined ? {} : { 'retry-after': String(Math.max(1, seconds)) }),
  };
}

/** A text cannot be longer than some 500 MiB; who asks for more than that asked for too much. */
function textOf(result: ExecutionResult): string {
  try {
    return JSON.stringify(result);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ShiplogError(
      'QUERY_TOO_COMPLEX',
      'the answer is larger than can be sent: ask for fewer rows',
    );
  }
}

/** The status of the first error that has a code of ours. */
function statusOf(errors: readonly GraphQLError[]): number | null {
  for (const { extensions } of errors) {
    const { code } = extensions;
    if (typeof code === 'string' && Object.hasOwn(ERROR_CODES, code)) {
      return ERROR_CODES[code as ErrorCode].status;
    }
  }
  return null;
}
