/**
 * Documents of one shard's views between the fold and the cluster: laid out and not stored yet.
 * Until they are, they are read by id from here.
 */
import type { Bulk, BulkItem } from '../cluster/bulk.ts';
import { unavailable } from '../cluster/connection.ts';
import type { Aside, SetAside } from './set-aside.ts';
import { UnsearchedRuns } from './unsearched-runs.ts';

/** Documents in one request, and their bytes. */
const CHUNK_DOCUMENTS = 1_000;
const CHUNK_BYTES = 4 * 1024 * 1024;
const CHUNKS_AT_A_TIME = 3;
/** A cluster takes no request over 100 MB. */
const DOCUMENT_MAX = 32 * 1024 * 1024;
/** What a document takes in memory beside its source. */
const DOCUMENT_BYTES = 512;
/** Bytes of documents that are not stored yet: two rounds of requests. */
const UNSTORED_MAX = 2 * CHUNKS_AT_A_TIME * CHUNK_BYTES;

interface Document {
  taskId: string;
  /** The host of its run or step; null: it is the task's own, and written after all of the runs. */
  host: string | null;
  id: string;
  /** The document as JSON; null: it is deleted. */
  source: string | null;
}

export interface ViewWriterParts {
  bulk: Pick<Bulk, 'send'>;
  index: string;
  aside: SetAside;
  /** Whether the shard is kept here still: asked before each request. */
  mayWrite: () => Promise<boolean>;
  /** Told how many documents were written. */
  onWrite: (documents: number) => void;
}

export class ViewWriter {
  readonly #parts: ViewWriterParts;
  #laidOut = new Map<string, Document>();
  /** What is under way to the cluster. */
  #sent: ReadonlyMap<string, Document> = new Map();
  #laidOutBytes = 0;
  #sentBytes = 0;
  readonly unsearched = new UnsearchedRuns();

  constructor(parts: ViewWriterParts) {
    this.#parts = parts;
  }

  put(taskId: string, host: string | null, id: string, source: string | null): void {
    const document = { taskId, host, id, source };
    this.#laidOutBytes += bytesOf(document) - bytesOf(this.#laidOut.get(id));
    this.#laidOut.set(id, document);
    if (host !== null) this.unsearched.add(taskId, host);
  }

  /** What is laid out is to be written before more of it is. */
  get isFull(): boolean {
    return this.#laidOutBytes + this.#sentBytes > UNSTORED_MAX;
  }

  /** A document that is not stored as it is now; null: it is to be removed. */
  unstored(id: string): string | null | undefined {
    return (this.#laidOut.get(id) ?? this.#sent.get(id))?.source;
  }

  /** The tasks of which something is not stored. */
  tasks(): Set<string> {
    const documents = [...this.#laidOut.values(), ...this.#sent.values()];
    return new Set(documents.map(({ taskId }) => taskId));
  }

  /** Resolves when all that was laid out until now is stored. One at a time. */
  async write(version: number): Promise<void> {
    const documents = [...this.#laidOut.values()];
    this.#sent = this.#laidOut;
    this.#sentBytes = this.#laidOutBytes;
    this.#laidOut = new Map();
    this.#laidOutBytes = 0;
    this.unsearched.writing();
    const items = documents
      .sort((a, b) => Number(a.host === null) - Number(b.host === null))
      .map((document) => ({ host: document.host, ...this.#item(document, version) }))
      .filter((item) => !this.#isTooLarge(item));
    // One request is taken in its order, for all its documents are in one shard.
    const chunks = [...chunksOf(items)];
    if (chunks.length > 1) {
      await this.#sendAll([...chunksOf(items.filter(({ host }) => host !== null))]);
      await this.#sendAll([...chunksOf(items.filter(({ host }) => host === null))]);
    } else await this.#sendAll(chunks);
    this.#sent = new Map();
    this.#sentBytes = 0;
    this.unsearched.written();
  }

  #item({ taskId, id, source }: Document, version: number): BulkItem {
    const { index } = this.#parts;
    const meta = {
      ...{ _index: index, _id: id, routing: taskId, version, version_type: 'external_gte' },
    };
    const action = JSON.stringify(source === null ? { delete: meta } : { index: meta });
    return { action, source: source ?? '' };
  }

  #isTooLarge(item: BulkItem): boolean {
    if (item.source.length <= DOCUMENT_MAX) return false;
    this.#parts.aside.add(whatIs(item), 'it is over 32 MiB');
    return true;
  }

  /** Some of them at a time: all are of different documents. */
  async #sendAll(chunks: readonly BulkItem[][]): Promise<void> {
    const open = chunks.values();
    const send = async () => {
      for (const chunk of open) {
        if (!(await this.#parts.mayWrite())) throw unavailable('Another server keeps the shard');
        await this.#send(chunk);
      }
    };
    const senders = Array.from({ length: CHUNKS_AT_A_TIME }, send);
    // None may be under way when another attempt begins.
    for (const sent of await Promise.allSettled(senders)) {
      if (sent.status === 'rejected') throw sent.reason;
    }
  }

  async #send(chunk: readonly BulkItem[]): Promise<void> {
    const outcomes = await this.#parts.bulk.send(chunk);
    if (outcomes.some(({ state }) => state === 'missing')) {
      throw unavailable(`${this.#parts.index} is not there`);
    }
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.state !== 'refused') continue;
      this.#parts.aside.add(whatIs(chunk[i] as BulkItem), outcome.reason);
    }
    this.#parts.onWrite(chunk.length);
  }
}

/** About: a character may be two of them. */
function bytesOf(document: Document | undefined): number {
  return document === undefined ? 0 : DOCUMENT_BYTES + (document.source?.length ?? 0);
}

/** Which task and host a document is about; read only when it is set aside. */
function whatIs({ action, source }: BulkItem): Aside {
  const [{ routing }] = Object.values(JSON.parse(action)) as [{ routing: string }];
  const host = /"host":\{"name":("(?:[^"\\]|\\.)*")/.exec(source)?.[1];
  return { taskId: routing, host: host === undefined ? null : JSON.parse(host) };
}

function* chunksOf(items: readonly BulkItem[]): Generator<BulkItem[]> {
  let chunk: BulkItem[] = [];
  let bytes = 0;
  for (const item of items) {
    chunk.push(item);
    bytes += item.source.length + item.action.length;
    if (chunk.length < CHUNK_DOCUMENTS && bytes < CHUNK_BYTES) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}
