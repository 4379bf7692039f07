import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A directory with its parents; `mode`: of each that is made. Node's own way (`recursive`) never returns where
 * a system refuses a directory with ENOENT though its parent exists, as /proc does.
 */
export function makeDirectory(directory: string, mode: number): void {
  try {
    mkdirSync(directory, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(directory).isDirectory()) return;
    const parent = dirname(directory);
    if (code !== 'ENOENT' || parent === directory || existsSync(parent)) throw error;
    makeDirectory(parent, mode);
    mkdirSync(directory, mode);
  }
}
