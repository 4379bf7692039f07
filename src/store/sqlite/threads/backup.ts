/**
 * An online backup: `VACUUM INTO` copies one moment of the database while the writer goes on (the
 * page-by-page way would begin anew at every commit). It has a thread of its own, for it takes as
 * long as the database is large. The file has its name only when it is whole and durable, so what
 * an interruption leaves behind is never taken for a backup.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { workerData } from 'node:worker_threads';
import { badInput } from '../../../domain/errors.ts';
import { Connection } from '../file/connection.ts';
import { makePrivate } from '../file/lock.ts';
import { serve } from './worker-side.ts';

export interface BackupData {
  file: string;
}

serve(() => ({
  ready: null,
  operations: {
    /** Throws BAD_INPUT where `target` exists. Durable when it returns. */
    backup: (target: string) => {
      const path = resolve(target);
      if (existsSync(path)) throw badInput(`${path} exists already; a backup needs a new file`);
      checkDirectory(dirname(path));
      const partial = `${path}.partial`;
      try {
        // One that was interrupted by a crash may have left its own.
        rmSync(partial, { force: true });
        makePrivate(partial);
        copy(partial);
        sync(partial);
        renameSync(partial, path);
      } finally {
        rmSync(partial, { force: true });
      }
      sync(dirname(path));
    },
  },
}));

function checkDirectory(directory: string): void {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw badInput(`a backup cannot be written into ${directory}: ${(error as Error).message}`);
  }
}

function copy(target: string): void {
  const connection = new Connection((workerData as BackupData).file, { readOnly: false });
  try {
    connection.run('VACUUM INTO ?', target);
  } finally {
    connection.close();
  }
}

function sync(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
