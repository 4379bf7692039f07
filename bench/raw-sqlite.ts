/**
 * The embedded engine's own inserts without the engine: the same table, indices and full-text
 * index, rows made beforehand, one transaction a batch, synchronous=FULL, one thread.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredEvent } from '../src/domain/event/event.ts';
import { parseStepEvent } from '../src/domain/event/input.ts';
import { searchedTexts, wordsOf } from '../src/domain/search/words.ts';
import { Connection } from '../src/store/sqlite/file/connection.ts';
import { createDay } from '../src/store/sqlite/file/days.ts';
import { eventValues, insertEventSql, insertWordsSql } from '../src/store/sqlite/file/event-row.ts';
import { anEvent } from './events.ts';

const DAY = 20260101;

/** Events per second. */
export function rawSqlite(batchSize: number, seconds: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'shiplog-raw-'));
  const connection = new Connection(join(folder, 'raw.db'), { readOnly: false });
  connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  createDay(connection, DAY);
  const event = connection.prepare(insertEventSql(DAY));
  const words = connection.prepare(insertWordsSql(DAY));
  let seq = 0;
  let spent = 0;
  let inserted = 0;
  while (spent < seconds * 1_000) {
    const rows = Array.from({ length: batchSize }, () => rowOf(++seq));
    const startedAt = performance.now();
    connection.exec('BEGIN IMMEDIATE');
    for (const row of rows) {
      event.run(...row.values);
      words.run(row.seq, row.words, null, null);
    }
    connection.exec('COMMIT');
    spent += performance.now() - startedAt;
    inserted += batchSize;
  }
  connection.close();
  rmSync(folder, { recursive: true, force: true });
  return inserted / (spent / 1_000);
}

function rowOf(seq: number) {
  const parsed = parseStepEvent(anEvent('raw', `web-${seq % 200}`), Date.now());
  if (!parsed.ok) throw new Error(parsed.problem.message);
  const stored: StoredEvent = { ...parsed.event, position: { shard: '0', seq } };
  return {
    seq,
    values: eventValues(stored, 1, seq % 200),
    words: searchedTexts(stored)
      .map((text) => wordsOf(text).join(' '))
      .join(' '),
  };
}
