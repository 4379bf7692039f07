/**
 * What waits to be delivered, bounded. Over the bounds the oldest output lines give way, in
 * blocks, and one line says in their place how many there were; statuses are never dropped.
 *
 * Every event has its sequence number from the beginning, so dropped lines are also seen by the
 * server as missing. The line that replaces a block has the number of the block's first line.
 */
import type { StepEventInput } from '../gen/graphql.ts';

const MOST_EVENTS = 100_000;
const MOST_BYTES = 32 * 1_024 * 1_024;
/** Dropping down to this share of the bounds makes it rare. */
const KEPT_SHARE = 0.9;
/** A line that stands for others, as JSON, roughly. */
const NOTICE_BYTES = 400;

interface Entry {
  event: StepEventInput;
  bytes: number;
  /** 0: may not be dropped; else how many lines it stands for. */
  lines: number;
  isNotice: boolean;
}

/** What it takes in a request: a control character, for one, is six bytes there. */
export function jsonBytes(event: StepEventInput): number {
  return Buffer.byteLength(JSON.stringify(event)) + 1;
}

export class Outbox {
  readonly #mostEvents: number;
  readonly #mostBytes: number;
  #entries: Entry[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor(mostEvents = MOST_EVENTS, mostBytes = MOST_BYTES) {
    this.#mostEvents = mostEvents;
    this.#mostBytes = mostBytes;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Lines that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  add(event: StepEventInput): void {
    const isLine = event.status === undefined;
    const bytes = jsonBytes(event);
    this.#entries.push({ event, bytes, lines: isLine ? 1 : 0, isNotice: false });
    this.#bytes += bytes;
    if (this.#entries.length > this.#mostEvents || this.#bytes > this.#mostBytes) this.#drop();
  }

  /** Removes and returns the oldest, at least one if there is one. */
  take(mostEvents: number, mostBytes: number): StepEventInput[] {
    let count = 0;
    let bytes = 0;
    for (const entry of this.#entries) {
      if (count >= mostEvents || (count > 0 && bytes + entry.bytes > mostBytes)) break;
      count++;
      bytes += entry.bytes;
    }
    this.#bytes -= bytes;
    return this.#entries.splice(0, count).map((entry) => entry.event);
  }

  #drop(): void {
    const events = this.#mostEvents * KEPT_SHARE;
    const bytes = this.#mostBytes * KEPT_SHARE;
    let count = this.#entries.length;
    const kept: Entry[] = [];
    for (const [index, entry] of this.#entries.entries()) {
      // The newest line stays: what is printed last says most about a failure.
      const isOver = count > events || this.#bytes > bytes;
      if (!isOver || entry.lines === 0 || index === this.#entries.length - 1) {
        kept.push(entry);
        continue;
      }
      if (!entry.isNotice) this.#dropped++;
      const before = kept.at(-1);
      if (before?.isNotice) {
        this.#bytes -= entry.bytes;
        count--;
        setNotice(before, before.lines + entry.lines);
      } else {
        this.#bytes -= entry.bytes - NOTICE_BYTES;
        kept.push(noticeFor(entry));
      }
    }
    this.#entries = kept;
  }
}

function noticeFor({ event, lines }: Entry): Entry {
  const notice = { event: { ...event }, bytes: NOTICE_BYTES, lines, isNotice: true };
  setNotice(notice, lines);
  return notice;
}

function setNotice(entry: Entry, lines: number): void {
  entry.lines = lines;
  entry.event.level = 'WARN';
  entry.event.message = `[shiplog] ${lines} lines of output were dropped here: they could not be delivered in time`;
}
