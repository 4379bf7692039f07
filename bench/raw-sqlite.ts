/**
 * The embedded engine's own inserts without the engine: the same table, indices and full-text
 * index, an index of ids, rows made beforehand, one transaction a batch, synchronous=FULL, one thread.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredEvent } from '../src/domain/event/event.ts';
import { parseStepEvent } from '../src/domain/event/input.ts';
import { searchedTexts, wordsOf } from '../src/domain/search/words.ts';
import { Connection } from '../src/store/sqlite/file/connection.ts';
import { createDay } from '../src/store/sqlite/file/days.ts';
import {
  eventValues,
  idHash,
  insertEventSql,
  insertWordsSql,
} from '../src/store/sqlite/file/event-row.ts';
import { anEvent } from './events.ts';

const DAY = 20260101;
const TASK = 1;

/** Events per second, into an empty file. */
export function rawSqlite(batchSize: number, seconds: number): number {
  const log = new RawLog();
  try {
    return log.insert(batchSize, seconds);
  } finally {
    log.close();
  }
}

export class RawLog {
  readonly #folder = mkdtempSync(join(tmpdir(), 'shiplog-raw-'));
  readonly #connection = new Connection(join(this.#folder, 'raw.db'), { readOnly: false });
  readonly #isKept: boolean;
  #seq = 0;

  /**
   * `isKept`: a file that is written to for as long as a server's is, so with the writer's memory,
   * and ids that are looked up before they are inserted: a document that comes again counts once.
   */
  constructor({ isKept = false } = {}) {
    this.#isKept = isKept;
    this.#connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    if (isKept) {
      this.#connection.exec('PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8192;');
    }
    createDay(this.#connection, DAY);
    // As one would do it: ours has its ids in memory first.
    this.#connection.exec(`CREATE INDEX raw_id ON events_${DAY} (task, id_hash)`);
  }

  /** Events per second. */
  insert(batchSize: number, seconds: number): number {
    const connection = this.#connection;
    const event = connection.prepare(insertEventSql(DAY));
    const words = connection.prepare(insertWordsSql(DAY));
    let spent = 0;
    let inserted = 0;
    while (spent < seconds * 1_000) {
      const rows = Array.from({ length: batchSize }, () => rowOf(++this.#seq));
      const startedAt = performance.now();
      connection.exec('BEGIN IMMEDIATE');
      if (this.#isKept) this.#lookUp(rows.map(({ id }) => id));
      for (const row of rows) {
        event.run(...row.values);
        words.run(row.seq, row.words, null, null);
      }
      connection.exec('COMMIT');
      spent += performance.now() - startedAt;
      inserted += batchSize;
    }
    return inserted / (spent / 1_000);
  }

  #lookUp(ids: readonly number[]): void {
    const known = this.#connection.arrays(
      `SELECT seq FROM events_${DAY} WHERE task = ? AND id_hash IN (SELECT value FROM json_each(?))`,
      [TASK, JSON.stringify(ids)],
    );
    if (known.length > 0) throw new Error('an event of the bench is there already');
  }

  close(): void {
    this.#connection.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function rowOf(seq: number) {
  const parsed = parseStepEvent(anEvent('raw', `web-${seq % 200}`), Date.now());
  if (!parsed.ok) throw new Error(parsed.problem.message);
  const stored: StoredEvent = { ...parsed.event, position: { shard: '0', seq } };
  return {
    seq,
    id: idHash(stored.id),
    values: eventValues(stored, TASK, seq % 200),
    words: searchedTexts(stored)
      .map((text) => wordsOf(text).join(' '))
      .join(' '),
  };
}
