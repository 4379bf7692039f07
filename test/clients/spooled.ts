import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

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
