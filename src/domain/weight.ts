import type { LogEvent } from './event.ts';

/** What an event weighs in a queue, in bytes: near enough for bounds, cheap to tell. */
export function approximateBytes(event: LogEvent): number {
  return (
    400 +
    (event.message?.length ?? 0) +
    (event.command?.length ?? 0) +
    (event.error?.message.length ?? 0) +
    (event.params === null ? 0 : JSON.stringify(event.params).length) +
    (event.task?.hosts?.length ?? 0) * 32
  );
}
