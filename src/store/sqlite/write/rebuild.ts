/**
 * Folds the views of the embedded store anew from its log, task by task: each in one transaction,
 * so whoever interrupts it finds every task as it was or as it is now. The log is not touched.
 *
 * A server holds in memory what it folded, so none may have the directory meanwhile. Hosts are
 * only added to: what retention removed was the last trace of when some were first seen.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { badInput } from '../../../domain/errors.ts';
import { Connection } from '../file/connection.ts';
import { storeError } from '../file/errors.ts';
import { checkSqliteVersion, lockDirectory } from '../file/lock.ts';
import { migrate } from '../file/migrate.ts';
import { refoldTasks } from './refold.ts';

/**
 * Resolves to the number of events that were folded. Throws BAD_INPUT where there is no database,
 * STORE_UNAVAILABLE where a server has it.
 */
export async function rebuildDataDir(
  dataDir: string,
  onProgress: (done: number, total: number) => void,
): Promise<number> {
  checkSqliteVersion(process.versions.sqlite ?? '0');
  const directory = resolve(dataDir);
  const file = join(directory, 'shiplog.db');
  if (!existsSync(file)) throw badInput(`there is no ${file} to rebuild`, 'dataDir');
  const lock = lockDirectory(directory);
  try {
    return await rebuild(file, onProgress);
  } catch (error) {
    throw storeError(error);
  } finally {
    lock.release();
  }
}

async function rebuild(
  file: string,
  onProgress: (done: number, total: number) => void,
): Promise<number> {
  const connection = new Connection(file, { readOnly: false });
  try {
    // The log is durable and has it all, so no commit here need wait for the disk.
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    migrate(connection, file);
    let folded = 0;
    for (const { done, total } of refoldTasks(connection)) {
      folded = done;
      onProgress(done, total);
      // Signals and the terminal have their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return folded;
  } finally {
    connection.close();
  }
}
