/**
 * Keeps the write-ahead log short. SQLite copies it into the file by itself, but begins it anew
 * only in a moment in which nobody reads from it, and under many short queries there is none. So
 * beyond a size the writer makes one: it waits until those that read now are done, while new ones
 * read the file.
 */
import { statSync } from 'node:fs';
import type { Connection } from '../file/connection.ts';

export interface WalBounds {
  /** Pages that are copied into the file by itself, after a commit. */
  checkpointPages: number;
  /** Beyond it the log is begun anew. */
  maxBytes: number;
}

/** 32 MiB, and four times as much. */
export const WAL_BOUNDS: WalBounds = { checkpointPages: 8_192, maxBytes: 128 * 1_024 * 1_024 };
/** How long appends may wait for readers: a long query is not waited for, but tried again after. */
const PATIENCE_MS = 250;
const RETRY_MS = 2_500;

export class Wal {
  readonly #connection: Connection;
  readonly #file: string;
  readonly #maxBytes: number;
  #notBefore = 0;

  constructor(connection: Connection, file: string, { checkpointPages, maxBytes }: WalBounds) {
    this.#connection = connection;
    this.#file = `${file}-wal`;
    this.#maxBytes = maxBytes;
    connection.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  }

  /** After every request. */
  look(): void {
    if (performance.now() < this.#notBefore || this.#size() <= this.#maxBytes) return;
    const { timeout } = this.#connection.get<{ timeout: number }>('PRAGMA busy_timeout') ?? {};
    this.#connection.exec(`PRAGMA busy_timeout = ${PATIENCE_MS}`);
    try {
      const done = this.#connection.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)');
      if (done?.busy !== 0) this.#notBefore = performance.now() + RETRY_MS;
    } catch {
      // A full disk, say: whoever writes next is told.
      this.#notBefore = performance.now() + RETRY_MS;
    } finally {
      this.#connection.exec(`PRAGMA busy_timeout = ${timeout ?? 0}`);
    }
  }

  #size(): number {
    try {
      return statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
    } catch {
      return 0;
    }
  }
}
