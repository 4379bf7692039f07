/** Many sequences that are ordered by time as one, holding only those open that have begun. */

export interface Timed {
  /** Milliseconds from the beginning. */
  atMs: number;
}

export interface Source<T extends Timed> {
  /** No event of `open()` is earlier. */
  startMs: number;
  open(): Iterator<T>;
}

interface Head<T> {
  value: T;
  rank: number;
  rest: Iterator<T>;
}

/** Ties keep the order of the sources. */
export function* mergeByTime<T extends Timed>(sources: readonly Source<T>[]): Generator<T> {
  const waiting = sources
    .map((source, rank) => ({ source, rank }))
    .sort((a, b) => a.source.startMs - b.source.startMs || a.rank - b.rank);
  const heap: Head<T>[] = [];
  let opened = 0;
  for (;;) {
    let next = waiting[opened];
    while (next && (heap[0] === undefined || next.source.startMs <= heap[0].value.atMs)) {
      opened++;
      const rest = next.source.open();
      const first = rest.next();
      if (first.done !== true) push(heap, { value: first.value, rank: next.rank, rest });
      next = waiting[opened];
    }
    const head = heap[0];
    if (head === undefined) return;
    yield head.value;
    const following = head.rest.next();
    const last = heap.pop() as Head<T>;
    if (following.done !== true) {
      if (last !== head) heap.push(last);
      heap[0] = { value: following.value, rank: head.rank, rest: head.rest };
      sink(heap);
    } else if (last !== head) {
      heap[0] = last;
      sink(heap);
    }
  }
}

function isBefore<T extends Timed>(a: Head<T>, b: Head<T>): boolean {
  return a.value.atMs < b.value.atMs || (a.value.atMs === b.value.atMs && a.rank < b.rank);
}

function push<T extends Timed>(heap: Head<T>[], item: Head<T>): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(item, heap[parent] as Head<T>)) break;
    heap[at] = heap[parent] as Head<T>;
    at = parent;
  }
  heap[at] = item;
}

/** Moves the first down to its place. */
function sink<T extends Timed>(heap: Head<T>[]): void {
  const item = heap[0] as Head<T>;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Head<T>)) child++;
    if (!isBefore(heap[child] as Head<T>, item)) break;
    heap[at] = heap[child] as Head<T>;
    at = child;
  }
  heap[at] = item;
}
