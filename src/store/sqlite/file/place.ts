/**
 * Whether the database is still where it was opened. Where somebody moves, removes or replaces its
 * file (a restore into a running server, a cleaner), SQLite goes on writing into what no path leads
 * to any more: a commit would be gone with the process.
 */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { ShiplogError } from '../../../domain/errors.ts';

const RETRY_AFTER_MS = 5_000;

export class Place {
  readonly #files: readonly { path: string; identity: string | null }[];

  /** To be made once something was written, for before that there is no write-ahead log. */
  constructor(file: string) {
    this.#files = [file, `${file}-wal`].map((path) => ({ path, identity: identityOf(path) }));
  }

  /** Throws STORE_UNAVAILABLE. */
  check(): void {
    for (const { path, identity } of this.#files) {
      if (identityOf(path) === identity) continue;
      throw new ShiplogError(
        'STORE_UNAVAILABLE',
        `${basename(path)} was moved, removed or replaced under the running server, so nothing can be stored: put it back, or stop the server before you restore a backup`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
  }
}

/** null: it is not there. */
function identityOf(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev} ${found.ino}`;
}
