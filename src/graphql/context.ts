/**
 * What resolvers see. A context is made for each operation, and for each event of a subscription:
 * its loaders remember what they loaded, and a subscription lives for hours.
 */
import { ANSWER_MAX, tooLargeAnswer } from '../domain/answer-bounds.ts';
import type { JsonObject } from '../domain/event/event.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { Store } from '../store/store.ts';
import type { Tail } from '../tail/tail.ts';
import { FreshReads } from './fresh-reads.ts';
import { Loaders } from './loaders.ts';
import type { Viewer } from './viewer.ts';

/** What the schema needs to know of the server it runs in. */
export interface GraphQLSettings {
  version: string;
  /** Epoch milliseconds. */
  startedAt: number;
  retentionDays: number;
  /** Silence of a running thing after which it is `stale`. Milliseconds. */
  staleAfterMs: number;
  /** The clock, in epoch milliseconds. */
  now: () => number;
}

export interface Sources {
  store: Store;
  ingest: Ingest;
  tail: Tail;
  settings: GraphQLSettings;
}

/** What of an event, a step, a task or a host can be long. */
interface Reported {
  message?: string | null;
  command?: string | null;
  error?: { message: string } | null;
  params?: JsonObject | null;
  labels?: Readonly<Record<string, string | number | boolean>>;
}

function charactersOf({ message, command, error, params, labels }: Reported): number {
  let characters = (message?.length ?? 0) + (command?.length ?? 0) + (error?.message.length ?? 0);
  if (params) characters += JSON.stringify(params).length;
  for (const name in labels) characters += name.length + String(labels[name]).length;
  return characters;
}

export class Context {
  readonly store: Store;
  /** The same for what names tasks: see there. */
  readonly reads: FreshReads;
  readonly ingest: Ingest;
  readonly tail: Tail;
  readonly settings: GraphQLSettings;
  readonly viewer: Viewer;
  /** One moment for the whole operation, so that `stale` is the same everywhere in an answer. */
  readonly now: number;
  #answered = 0;
  /** Writes need none, so they are made when first asked for. */
  #loaders: Loaders | null = null;

  constructor({ store, ingest, tail, settings }: Sources, viewer: Viewer) {
    this.viewer = viewer;
    this.store = store;
    this.reads = new FreshReads(store);
    this.ingest = ingest;
    this.tail = tail;
    this.settings = settings;
    this.now = settings.now();
  }

  /**
   * Counts rows that go into the answer. Throws QUERY_TOO_COMPLEX where they are too much of it:
   * aliases can ask for the same page many times over.
   */
  countAnswered(rows: Iterable<Reported>): void {
    let characters = 0;
    for (const row of rows) characters += charactersOf(row);
    this.countCharacters(characters);
  }

  countCharacters(characters: number): void {
    this.#answered += characters;
    if (this.#answered > ANSWER_MAX) throw tooLargeAnswer();
  }

  get loaders(): Loaders {
    this.#loaders ??= new Loaders(this.store, this.reads);
    return this.#loaders;
  }
}
