/**
 * Opens the embedded engine: one file, one writer, a few readers. Who may have the directory, the
 * threads and their faults; what is asked of them is `sqlite-store.ts`.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { badInput, ShiplogError } from '../../domain/errors.ts';
import type { Store, ViewSettings } from '../store.ts';
import { checkSqliteVersion, lockDirectory, makePrivate } from './file/lock.ts';
import { copyDatabase, SqliteStore } from './sqlite-store.ts';
import { ReaderPool } from './threads/reader-pool.ts';
import { WorkerClient } from './threads/worker-client.ts';
import type { WriterData, WriterReady } from './threads/writer.ts';

/** The part of the server's log that the engine writes to. */
export interface StoreLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface SqliteOptions {
  dataDir: string;
  settings: ViewSettings;
  log?: StoreLog;
  /** Tests: how many pages the file may have, which fills the "disk". */
  maxPages?: number;
  /** Tests: the memory of the thread that writes, which ends it. */
  writerHeapMb?: number;
}

/**
 * Opens (and makes) `<dataDir>/shiplog.db`. Throws, with the reason in words, BAD_INPUT where the
 * directory cannot be used, STORE_UNAVAILABLE where another server has it, a newer version wrote
 * it, it is damaged, or this SQLite is too old.
 */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  checkSqliteVersion(process.versions.sqlite ?? '0');
  const dataDir = resolve(options.dataDir);
  const lock = lockDirectory(dataDir);
  const file = join(dataDir, 'shiplog.db');
  makePrivate(file);
  const { staleAfterMs, queryTimeoutMs, maxEventsPerTask, retentionDays } = options.settings;
  const writerData: WriterData = {
    file,
    settings: { maxEventsPerTask, retentionDays },
    maxPages: options.maxPages ?? null,
  };
  const limits = options.writerHeapMb ? { maxOldGenerationSizeMb: options.writerHeapMb } : {};
  const entry = new URL('./threads/writer.ts', import.meta.url);
  const writer = new WorkerClient(entry, writerData, undefined, limits);
  const say: WorkerClient['onLog'] = (level, fields, message) =>
    options.log?.[level](fields, message);
  writer.onLog = say;
  const failed = new Promise<Error>((resolve) => {
    writer.onFault = (error) => {
      options.log?.error({ err: error }, 'the thread that writes the database has ended');
      resolve(error);
    };
  });
  try {
    const ready = (await writer.ready) as WriterReady;
    const readers = new ReaderPool(file, queryTimeoutMs, { epoch: ready.epoch, staleAfterMs });
    readers.onLog = say;
    readers.onFault = (error) => {
      options.log?.error(
        { err: error },
        'a thread that reads the database has ended; a new one is started',
      );
    };
    await readers.ready;
    options.log?.info({ file, seq: ready.lastSeq }, 'the database is open');
    return new SqliteStore({
      file,
      settings: options.settings,
      lock,
      writer,
      readers,
      ready,
      failed,
    });
  } catch (error) {
    await writer.terminate();
    lock.release();
    throw naming(file, error);
  }
}

/** Which file, for those who have to look at it. */
function naming(file: string, error: unknown): unknown {
  if (!(error instanceof ShiplogError) || error.message.includes(file)) return error;
  return new ShiplogError(error.code, `${file}: ${error.message}`, { cause: error });
}

/**
 * `Store.backup` for a data directory that another process may be serving. Throws BAD_INPUT where
 * there is no database in it or `target` exists.
 */
export async function backupDataDir(dataDir: string, target: string): Promise<void> {
  const file = join(resolve(dataDir), 'shiplog.db');
  if (!existsSync(file)) throw badInput(`there is no ${file} to back up`, 'dataDir');
  await copyDatabase(file, target);
}
