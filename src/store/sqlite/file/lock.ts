/**
 * One server per data directory: an exclusive lock on a small database of its own, which the
 * operating system lets go when the process dies, however it dies.
 */
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ShiplogError } from '../../../domain/errors.ts';
import { makeDirectory } from '../../../make-directory.ts';

const BUSY = 5;
/** Older ones can lose commits in WAL mode (fixed in 3.51.3). */
const LEAST_SQLITE = [3, 51, 3] as const;

export function checkSqliteVersion(version: string): void {
  const parts = version.split('.').map(Number);
  for (const [index, least] of LEAST_SQLITE.entries()) {
    const part = parts[index] ?? 0;
    if (part > least) return;
    if (part < least) {
      throw new ShiplogError(
        'STORE_UNAVAILABLE',
        `This Node has SQLite ${version}, which can lose commits. Shiplog needs ${LEAST_SQLITE.join('.')} or newer: use a newer Node 24.`,
      );
    }
  }
}

/**
 * Holds the directory until `release`. Throws BAD_INPUT where it cannot be used, STORE_UNAVAILABLE
 * where another server has it; both name the setting.
 */
export function lockDirectory(directory: string): { release: () => void } {
  makeWritable(directory);
  const file = join(directory, 'shiplog.lock');
  makePrivate(file);
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    const busy = ((error as { errcode?: number }).errcode ?? 0) % 256 === BUSY;
    if (!busy) throw unusable(directory, 'locked', error);
    throw new ShiplogError(
      'STORE_UNAVAILABLE',
      `Another Shiplog server is using the data directory ${directory}. Stop it, or set SHIPLOG_DATA_DIR (--data-dir) to another directory.`,
      { field: 'dataDir', cause: error },
    );
  }
  return { release: () => db.close() };
}

/** What deployments print is not for everybody on the machine. */
const OWNER_ALONE = 0o700;

/** Makes an empty file for its owner alone, where there is none: SQLite's own are for all to read. */
export function makePrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
}

function makeWritable(directory: string): void {
  try {
    makeDirectory(directory, OWNER_ALONE);
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(directory, 'written', error);
  }
}

function unusable(directory: string, what: string, cause: unknown): ShiplogError {
  return new ShiplogError(
    'BAD_INPUT',
    `SHIPLOG_DATA_DIR: ${directory} cannot be ${what}: ${(cause as Error).message}`,
    { field: 'dataDir', cause },
  );
}
