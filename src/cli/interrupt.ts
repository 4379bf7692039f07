import type { Output } from './output.ts';

/**
 * Runs what follows something, with a signal that ends it: when it is interrupted from outside, or
 * when nobody reads its output any more. `interrupted`: by a signal of the system.
 */
export async function untilInterrupted<T>(
  output: Output,
  follow: (signal: AbortSignal) => Promise<T>,
): Promise<{ result: T; interrupted: boolean }> {
  const stop = new AbortController();
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted = true;
      stop.abort();
    });
  }
  output.onClosed(() => stop.abort());
  try {
    const result = await follow(stop.signal);
    return { result, interrupted };
  } finally {
    stop.abort();
  }
}
