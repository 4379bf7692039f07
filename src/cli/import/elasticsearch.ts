/**
 * All documents of one or more indices, one index after another by name (so by date, where they are
 * called by it), and the shards of each together: the oldest of what stands next comes first, so a
 * task's lines come in about the order in which they were written.
 */
import { say } from '../output.ts';
import { type Cluster, ClusterError } from './cluster.ts';
import type { DocumentReader, ImportDocument } from './document.ts';
import { Scroll } from './scroll.ts';
import { Shard } from './shard.ts';
import { PAGE_DOCUMENTS, type Page, type Positions, type Source } from './source.ts';

const INDICES_MAX = 10_000;

interface IndexSize {
  name: string;
  documents: number;
}

export class ElasticsearchSource implements Source {
  readonly name: string;
  readonly unit = 'documents';
  readonly #cluster: Cluster;
  readonly #stop: AbortController;
  readonly #pattern: string;
  readonly #reader: DocumentReader;
  #indices: IndexSize[] = [];
  #scroll: Scroll | null = null;

  /** `stop`: ends the calls of the cluster. */
  constructor(cluster: Cluster, stop: AbortController, pattern: string, reader: DocumentReader) {
    this.#cluster = cluster;
    this.#stop = stop;
    this.#pattern = pattern;
    this.#reader = reader;
    this.name = `${cluster.url} ${pattern}`;
  }

  async open(): Promise<{ total: number; about: string; replaced: string[] }> {
    const path = `${encodeURIComponent(this.#pattern)}/_search?allow_partial_search_results=false`;
    const { answer } = await this.#cluster.post(path, {
      size: 0,
      track_total_hits: true,
      aggs: { indices: { terms: { field: '_index', size: INDICES_MAX } } },
    });
    this.#indices = (answer.aggregations?.indices.buckets ?? [])
      .map(({ key, doc_count: documents }) => ({ name: key, documents }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const total = this.#indices.reduce((sum, { documents }) => sum + documents, 0);
    const names = this.#indices.map(({ name }) => name);
    const which = names.length > 3 ? `${names[0]} … ${names.at(-1)}` : names.join(', ');
    const count = names.length === 1 ? '' : `${names.length} indices: `;
    const about = names.length === 0 ? 'no index has documents' : count + which;
    return { total, about, replaced: [] };
  }

  async *pages(from: Positions): AsyncGenerator<Page> {
    for (const { name } of this.#indices) {
      const shards = await this.#shards(name, from);
      if (shards === null) yield* this.#scrolled(name);
      else yield* this.#merged(shards);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#scroll?.clear();
  }

  /** null: its documents have no sequence numbers. */
  async #shards(index: string, from: Positions): Promise<Shard[] | null> {
    const path = `${encodeURIComponent(index)}/_search?allow_partial_search_results=false`;
    const { answer } = await this.#cluster.post(path, { size: 0, track_total_hits: false });
    try {
      const opened = Array.from({ length: answer._shards.total }, (_, number) => {
        return Shard.open(this.#cluster, index, number, from[positionName(index, number)] ?? -1);
      });
      return await Promise.all(opened);
    } catch (error) {
      if (!(error instanceof ClusterError) || error.status !== 400) throw error;
      say(
        `${index} has no sequence numbers: where it is interrupted it is read from its start again`,
      );
      return null;
    }
  }

  async *#merged(shards: readonly Shard[]): AsyncGenerator<Page> {
    const streams = shards.map((shard) => new ShardStream(shard, this.#reader));
    await Promise.all(streams.map((stream) => stream.fill()));
    let documents: ImportDocument[] = [];
    const page = (): Page => {
      const positions = Object.fromEntries(
        streams.map((stream) => [
          positionName(stream.shard.index, stream.shard.number),
          stream.position,
        ]),
      );
      const read = documents;
      documents = [];
      return { documents: read, positions, progress: read.length };
    };
    for (;;) {
      let oldest: ShardStream | null = null;
      for (const stream of streams) {
        if (stream.at !== null && (oldest?.at == null || stream.at < oldest.at)) oldest = stream;
      }
      if (oldest === null) break;
      documents.push(oldest.take());
      if (documents.length >= PAGE_DOCUMENTS) yield page();
      if (oldest.at === null) await oldest.fill();
    }
    yield page();
  }

  async *#scrolled(index: string): AsyncGenerator<Page> {
    const scroll = new Scroll(this.#cluster, index);
    this.#scroll = scroll;
    for await (const { hits, fresh } of scroll.pages()) {
      const documents = hits.map(({ _id, _source }) => this.#reader.hit(index, _id, _source));
      yield { documents, positions: {}, progress: fresh };
    }
  }
}

function positionName(index: string, shard: number): string {
  return `${index}[${shard}]`;
}

/** The documents of a shard one by one; the page behind them is read ahead. */
class ShardStream {
  readonly shard: Shard;
  readonly #reader: DocumentReader;
  #documents: { document: ImportDocument; seq: number; at: number }[] = [];
  #next = 0;
  #ahead: ReturnType<Shard['page']> | null = null;
  /** Of the document taken last; of the whole shard, when all were; where it began, when none was yet. */
  position: number;

  constructor(shard: Shard, reader: DocumentReader) {
    this.shard = shard;
    this.position = shard.begin;
    this.#reader = reader;
  }

  /** Of the document that comes next; null: none is at hand. */
  get at(): number | null {
    return this.#documents[this.#next]?.at ?? null;
  }

  take(): ImportDocument {
    const { document, seq } = this.#documents[this.#next++] as {
      document: ImportDocument;
      seq: number;
    };
    this.position = seq;
    return document;
  }

  async fill(): Promise<void> {
    const hits = await (this.#ahead ?? this.shard.page());
    this.#next = 0;
    if (hits === null) {
      this.#documents = [];
      this.position = this.shard.top;
      return;
    }
    this.#ahead = this.shard.page();
    // A failure is told where the page is awaited.
    this.#ahead.catch(() => undefined);
    this.#documents = hits.map(({ _id, _source, sort }) => {
      const document = this.#reader.hit(this.shard.index, _id, _source);
      // What has no time stands where it stands.
      const at = typeof document.event?.at === 'number' ? document.event.at : 0;
      return { document, seq: sort?.[0] ?? -1, at };
    });
  }
}
