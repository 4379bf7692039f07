/**
 * Private keys that come line by line: which streams are inside one. Kept by this server, so lines
 * of one key that go to several servers are known by their look alone (`maskLoneLines`).
 *
 * Bounded by the number of streams that are inside a key at once; the one that was quiet for longest
 * is forgotten first, and its lines are then known by their look.
 */
import type { KeyBlock } from '../domain/redact/key-block.ts';
import { mayBeginKey } from '../domain/redact/key-block.ts';
import type { Redactor } from '../domain/redact/redact.ts';

/** Some 2 KiB each at most. */
const STREAMS_MAX = 4_096;

/** What the lines of a stream have in common: the task, host, step, stream and sender. */
export type LineOrigin = readonly (string | null)[];

export class KeyLines {
  readonly #redactor: Redactor;
  readonly #blocks = new Map<string, KeyBlock>();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** For the lines of one request, which go together: they count if they were taken. */
  batch(): KeyLinesBatch {
    return new KeyLinesBatch(this.#redactor, this.#blocks);
  }
}

export class KeyLinesBatch {
  readonly #redactor: Redactor;
  readonly #blocks: Map<string, KeyBlock>;
  /** For each stream that changed: what it was before. */
  readonly #before = new Map<string, KeyBlock | null>();

  constructor(redactor: Redactor, blocks: Map<string, KeyBlock>) {
    this.#redactor = redactor;
    this.#blocks = blocks;
  }

  /** `sent`: the line as it came. `redacted`: what is stored of it, unless it is of a key. */
  message(origin: LineOrigin, sent: string, redacted: string): string {
    const begins = mayBeginKey(sent);
    if (this.#blocks.size === 0 && !begins) return redacted;
    const key = JSON.stringify(origin);
    const before = this.#blocks.get(key) ?? null;
    if (before === null && !begins) return redacted;
    const { text, block } = this.#redactor.keyLine(sent, before);
    this.#keep(key, before, block);
    return text ?? redacted;
  }

  /** Nothing of the batch was acknowledged: it will come again. */
  undo(): void {
    for (const [key, before] of this.#before) {
      if (before === null) this.#blocks.delete(key);
      else this.#blocks.set(key, before);
    }
  }

  #keep(key: string, before: KeyBlock | null, block: KeyBlock | null): void {
    if (!this.#before.has(key)) this.#before.set(key, before);
    this.#blocks.delete(key);
    if (block === null) return;
    this.#blocks.set(key, block);
    if (this.#blocks.size > STREAMS_MAX)
      this.#blocks.delete(this.#blocks.keys().next().value ?? '');
  }
}
