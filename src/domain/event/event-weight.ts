import type { JsonObject, Labels, LogEvent } from './event.ts';

/** Ids, times and names, and the objects that hold them. */
const BARE = 400;
/** What each entry of labels takes besides its texts. */
const ENTRY = 16;

/**
 * What an event weighs in a queue, in bytes: near enough for bounds, cheap to tell. Whatever a
 * sender can make long is counted, or a bound in bytes would be none.
 */
export function approximateBytes(event: LogEvent): number {
  const { message, command, error, task } = event;
  return (
    BARE +
    (message?.length ?? 0) +
    (command?.length ?? 0) +
    (error === null ? 0 : error.message.length + (error.code?.length ?? 0)) +
    paramsWeight(event.params) +
    labelsWeight(event.labels) +
    (task === null ? 0 : namesWeight(task.hosts) + namesWeight(task.plan))
  );
}

function paramsWeight(params: JsonObject | null): number {
  return params === null ? 0 : JSON.stringify(params).length;
}

function labelsWeight(labels: Labels): number {
  let weight = 0;
  for (const key in labels) {
    const value = labels[key];
    weight += ENTRY + key.length + (typeof value === 'string' ? value.length : 0);
  }
  return weight;
}

function namesWeight(names: readonly string[] | null): number {
  return names?.reduce((sum, name) => sum + ENTRY + name.length, 0) ?? 0;
}

/** What each object, list and text takes besides its content. */
const HEAD = 24;
const FIELD = 12;

/** About what a value that JSON can hold takes in memory. */
export function heapBytes(value: unknown): number {
  if (typeof value === 'string') return HEAD + value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let bytes = HEAD;
  if (Array.isArray(value)) {
    for (const item of value) bytes += FIELD + heapBytes(item);
  } else {
    for (const key in value) bytes += FIELD + heapBytes((value as Record<string, unknown>)[key]);
  }
  return bytes;
}
