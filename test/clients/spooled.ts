import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What its files take. */
export async function spoolBytes(spool: string): Promise<number> {
  const names = (await readdir(spool)).filter((name) => name.endsWith('.ndjson'));
  const found = await Promise.all(names.map((name) => stat(join(spool, name))));
  return found.reduce((sum, { size }) => sum + size, 0);
}

/** The messages in the files of a spool directory, without lines that are torn. */
export async function storedMessages(spool: string): Promise<string[]> {
  const names = (await readdir(spool)).filter((name) => name.endsWith('.ndjson'));
  const files = await Promise.all(names.map((name) => readFile(join(spool, name), 'utf8')));
  return files
    .join('')
    .split('\n')
    .flatMap((line) => {
      try {
        const { message } = JSON.parse(line) as { message?: string };
        return message === undefined ? [] : [message];
      } catch {
        return [];
      }
    });
}
