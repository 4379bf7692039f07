/** Questions that are answered once: POST /graphql. */
import type { TypedDocumentString } from '../gen/graphql.ts';
import { token, tokenRefused } from './token.ts';

/** What the server, or the way to it, refused; `message` is for people. */
export class AskError extends Error {
  readonly code: string;
  /** When it is worth trying again, where the server said so. */
  readonly retryAfterMs: number | null;

  constructor(code: string, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  static of({ message, extensions }: Problem): AskError {
    return new AskError(
      String(extensions?.code ?? 'INTERNAL'),
      message,
      typeof extensions?.retryAfterMs === 'number' ? extensions.retryAfterMs : null,
    );
  }
}

/** As the server tells it. */
interface Problem {
  message: string;
  extensions?: { [name: string]: unknown } | undefined;
}

interface Answer {
  data?: unknown;
  errors?: Problem[];
}

/** Rejects with an AskError, or as `signal` says. */
export async function ask<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Result> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  const given = token.value;
  if (given !== null) headers.authorization = `Bearer ${given}`;
  let answer: Answer;
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: document.toString(), variables }),
      signal: signal ?? null,
    });
    answer = (await response.json()) as Answer;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new AskError('UNREACHABLE', 'The server does not answer. Is it running, and reachable?');
  }
  const [first] = answer.errors ?? [];
  if (first !== undefined) {
    const error = AskError.of(first);
    if (error.code === 'UNAUTHENTICATED') tokenRefused(given, error.message);
    throw error;
  }
  return answer.data as Result;
}
