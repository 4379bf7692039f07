/** Debian's packages, unpacked into a folder: nothing is installed, and none can be in another's way. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Downloads packages and unpacks them into `folder`, where that is not there yet, with all that they
 * need and is not installed. Those in one list get on with each other.
 */
export async function unpackDebian(
  lists: readonly (readonly string[])[],
  folder: string,
): Promise<void> {
  if (existsSync(folder)) return;
  const half = `${folder}.half`;
  mkdirSync(half, { recursive: true });
  for (const packages of lists) {
    const archives = mkdtempSync(join(tmpdir(), 'shiplog-archives-'));
    mkdirSync(join(archives, 'partial'));
    const options = ['install', '-y', '--download-only', '--reinstall', '--no-install-recommends'];
    const place = ['-o', `Dir::Cache::archives=${archives}`];
    await run('apt-get', [...options, ...place, ...packages], { timeout: 120_000 });
    for (const file of readdirSync(archives)) {
      if (file.endsWith('.deb')) await run('dpkg', ['-x', join(archives, file), half]);
    }
    rmSync(archives, { recursive: true });
  }
  renameSync(half, folder);
}
