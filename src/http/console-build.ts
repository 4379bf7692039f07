/**
 * Where the built console is. A package and a container carry it in `dist/console`. In a checkout it
 * is built from `src/ui`, once for each state of its sources, into `.cache`.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = join(ROOT, 'src/ui');
const PACKED = join(ROOT, 'dist/console');
const CACHE = join(ROOT, '.cache/console');
const VITE = join(ROOT, 'node_modules/vite/bin/vite.js');
const BUILD_TIMEOUT_MS = 60_000;

const run = promisify(execFile);

/** The folder of its files. Rejects with what an operator can do, where there is none. */
export async function builtConsole(): Promise<string> {
  if (!existsSync(VITE)) {
    if (existsSync(join(PACKED, 'index.html'))) return PACKED;
    throw new Error('The console was not built: run `npm ci && npm run build` where it is packed');
  }
  const folder = join(CACHE, await stateOfSources());
  if (!existsSync(folder)) await build(folder);
  return folder;
}

async function stateOfSources(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(ROOT, 'package-lock.json')));
  const entries = await readdir(SOURCES, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(`\0${path.slice(SOURCES.length)}\0`).update(await readFile(path));
  }
  return hash.digest('hex').slice(0, 16);
}

/** In a process of its own, for it keeps a core busy; beside others that build the same. */
async function build(folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const draft = await mkdtemp(join(CACHE, 'draft-'));
  try {
    const args = [VITE, 'build', SOURCES, '--config', join(SOURCES, 'vite.config.ts')];
    await run(process.execPath, [...args, '--outDir', draft, '--logLevel', 'error'], {
      cwd: ROOT,
      timeout: BUILD_TIMEOUT_MS,
    });
    await rename(draft, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
