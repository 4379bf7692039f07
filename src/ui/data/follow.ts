/**
 * A subscription that goes on where it was: after sleep, a drain or a restart of the server the
 * library sends it again, with the cursor of the last batch that came; and it is begun again from
 * there where the server refused it for something that passes.
 */
import type { TypedDocumentString } from '../gen/graphql.ts';
import { again } from './again.ts';
import { AskError } from './ask.ts';
import { passes, waitAfter } from './passing.ts';
import { connectionAllowed, subscribe } from './socket.ts';

export interface Follow<Result, Variables> {
  document: TypedDocumentString<Result, Variables>;
  variables: Variables;
  /** The cursor in a batch, given back as `after`; without it each connection begins anew. */
  cursorOf?: (result: Result) => string;
  onResult: (result: Result) => void;
  /** It ended for good: the server refused it. */
  onError: (error: AskError) => void;
  /** It failed of what passes, and will be begun again; null: it goes on. */
  onWaiting?: (error: AskError | null) => void;
  /** What `after` points at is gone: all is told again from the beginning. */
  onExpired?: () => void;
}

/** Returns what ends it. */
export function follow<Result, Variables extends object>(
  options: Follow<Result, Variables>,
): () => void {
  const { document, cursorOf, onResult, onError, onWaiting, onExpired } = options;
  let over = false;
  let stop: () => void = () => {};
  /** In a row. */
  let failures = 0;

  function begin(first: Variables): void {
    // Read again by the library each time it connects.
    const payload = { query: document.toString(), variables: { ...first } };
    stop = subscribe<Result>(payload as { query: string; variables: never }, {
      next(message) {
        if (over) return;
        const [error] = message.errors ?? [];
        if (error !== undefined || message.data == null) {
          fail(payload.variables, AskError.of(error ?? ENDED));
          return;
        }
        if (failures > 0) onWaiting?.(null);
        failures = 0;
        if (cursorOf !== undefined) {
          payload.variables = { ...payload.variables, after: cursorOf(message.data) };
        }
        onResult(message.data);
      },
      error(errors) {
        if (over) return;
        if (Array.isArray(errors)) fail(payload.variables, AskError.of(errors[0] ?? ENDED));
        // The connection ended in a way that is final to the library: without a token, for example.
        else void connectionAllowed().then(() => over || begin(payload.variables));
      },
      complete() {},
    });
  }

  function fail(reached: Variables, error: AskError): void {
    stop();
    if (error.code === 'CURSOR_EXPIRED' && onExpired !== undefined) {
      onExpired();
      begin({ ...reached, after: null });
      return;
    }
    if (!passes(error)) {
      onError(error);
      return;
    }
    stop = later(waitAfter(error, ++failures), () => begin(reached));
    onWaiting?.(error);
  }

  begin(options.variables);
  return () => {
    over = true;
    stop();
  };
}

const ENDED = { message: 'The subscription ended' };

/** In so many milliseconds, or sooner where the server came back; what it returns prevents it. */
function later(ms: number, begin: () => void): () => void {
  const end = (): void => {
    clearTimeout(timer);
    stopAgain();
  };
  const now = (): void => {
    end();
    begin();
  };
  const timer = setTimeout(now, ms);
  const stopAgain = again.listen(now);
  return end;
}
