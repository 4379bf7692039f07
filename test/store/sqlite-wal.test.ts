import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../src/store/sqlite/file/connection.ts';
import { Wal } from '../../src/store/sqlite/write/wal.ts';

const MIB = 1_024 * 1_024;
const BOUNDS = { checkpointPages: 64, maxBytes: MIB };

describe('The write-ahead log of the embedded store', () => {
  let directory: string;
  let file: string;
  let writer: Connection;
  let readers: Connection[];
  let wal: Wal;
  const length = () => statSync(`${file}-wal`).size;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shiplog-wal-'));
    file = join(directory, 'test.db');
    writer = new Connection(file, { readOnly: false });
    writer.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (text TEXT)');
    wal = new Wal(writer, file, BOUNDS);
    readers = [0, 1].map(() => new Connection(file, { readOnly: true }));
  });
  afterEach(async () => {
    for (const connection of [...readers, writer]) connection.close();
    await rm(directory, { recursive: true, force: true });
  });

  function begin(reader: Connection | undefined): void {
    reader?.exec('BEGIN');
    reader?.get('SELECT count(*) FROM t');
  }

  /** At every commit one of the readers is in the middle of a query: the log is never begun anew. */
  function writeUnderOverlappingReads(rounds: number): void {
    begin(readers[0]);
    for (let round = 0; round < rounds; round++) {
      writer.run('INSERT INTO t VALUES (?)', 'x'.repeat(100_000));
      begin(readers[(round + 1) % 2]);
      readers[round % 2]?.exec('COMMIT');
    }
    readers[rounds % 2]?.exec('COMMIT');
  }

  it('grows under queries that overlap without a pause, and is begun anew beyond its bound', () => {
    writeUnderOverlappingReads(60);
    expect(length()).toBeGreaterThan(4 * MIB);
    wal.look();
    expect(length()).toBe(0);
    writer.run('INSERT INTO t VALUES (?)', 'one more');
    expect(length()).toBeLessThan(MIB);
    wal.look();
    expect(length()).toBeGreaterThan(0);
    expect(writer.get('SELECT count(*) AS n FROM t')).toEqual({ n: 61 });
  });

  it('does not keep events waiting for a query that takes long', () => {
    writeUnderOverlappingReads(30);
    begin(readers[0]);
    writer.run('INSERT INTO t VALUES (?)', 'behind the reader');
    const began = performance.now();
    wal.look();
    // Not again at the very next event either.
    wal.look();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(length()).toBeGreaterThan(MIB);
    writer.run('INSERT INTO t VALUES (?)', 'and on');
    expect(writer.get('PRAGMA busy_timeout')).toEqual({ timeout: 5_000 });
    readers[0]?.exec('COMMIT');
  });
});
