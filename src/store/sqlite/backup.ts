/**
 * An online backup: `VACUUM INTO` copies one moment of the database while the writer goes on (the
 * page-by-page way would begin anew at every commit). It has a thread of its own, for it takes as
 * long as the database is large.
 */
import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { workerData } from 'node:worker_threads';
import { badInput } from '../../domain/errors.ts';
import { Connection } from './connection.ts';
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
      const connection = new Connection((workerData as BackupData).file, { readOnly: false });
      try {
        connection.run('VACUUM INTO ?', path);
      } finally {
        connection.close();
      }
      sync(path);
      sync(dirname(path));
    },
  },
}));

function sync(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
