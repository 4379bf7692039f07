/**
 * Where the server of a data directory is reached, for the next one that is started on it: a
 * person who starts Shiplog twice wants the address of the first.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Running {
  url: string;
  pid: number;
}

const NAME = 'running.json';

export function writeAddress(dataDir: string, url: string): void {
  const running: Running = { url, pid: process.pid };
  writeFileSync(join(dataDir, NAME), `${JSON.stringify(running)}\n`, { mode: 0o600 });
}

export function removeAddress(dataDir: string): void {
  rmSync(join(dataDir, NAME), { force: true });
}

/** null: none is known that still runs. */
export function readAddress(dataDir: string): Running | null {
  try {
    const { url, pid } = JSON.parse(readFileSync(join(dataDir, NAME), 'utf8')) as Running;
    process.kill(pid, 0);
    return { url, pid };
  } catch {
    return null;
  }
}
