/**
 * A subscription that goes on where it was: after sleep, a drain or a restart of the server the
 * library sends it again, with the cursor of the last batch that came.
 */
import type { TypedDocumentString } from '../gen/graphql.ts';
import { AskError } from './ask.ts';
import { connectionAllowed, socket } from './socket.ts';

export interface Follow<Result, Variables> {
  document: TypedDocumentString<Result, Variables>;
  variables: Variables;
  /** The cursor in a batch, given back as `after`; without it each connection begins anew. */
  cursorOf?: (result: Result) => string;
  onResult: (result: Result) => void;
  /** It ended for good: the server refused it. */
  onError: (error: AskError) => void;
  /** What `after` points at is gone: all is told again from the beginning. */
  onExpired?: () => void;
}

/** Returns what ends it. */
export function follow<Result, Variables extends object>(
  options: Follow<Result, Variables>,
): () => void {
  const { document, cursorOf, onResult, onError, onExpired } = options;
  let over = false;
  let stop: () => void = () => {};

  function begin(first: Variables): void {
    // Read again by the library each time it connects.
    const payload = { query: document.toString(), variables: { ...first } };
    stop = socket.subscribe<Result>(payload as { query: string; variables: never }, {
      next(message) {
        if (over) return;
        const [error] = message.errors ?? [];
        if (error !== undefined || message.data == null) {
          fail(first, error?.extensions?.code, error?.message);
          return;
        }
        if (cursorOf !== undefined) {
          payload.variables = { ...payload.variables, after: cursorOf(message.data) };
        }
        onResult(message.data);
      },
      error(errors) {
        if (over) return;
        if (Array.isArray(errors)) fail(first, errors[0]?.extensions?.code, errors[0]?.message);
        // The connection ended in a way that is final to the library: without a token, for example.
        else void connectionAllowed().then(() => over || begin(payload.variables));
      },
      complete() {},
    });
  }

  function fail(first: Variables, code: unknown, message: string | undefined): void {
    stop();
    if (code === 'CURSOR_EXPIRED' && onExpired !== undefined) {
      onExpired();
      begin({ ...first, after: null });
      return;
    }
    onError(new AskError(String(code ?? 'INTERNAL'), message ?? 'The subscription ended'));
  }

  begin(options.variables);
  return () => {
    over = true;
    stop();
  };
}
