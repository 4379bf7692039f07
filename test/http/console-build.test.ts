import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { builtConsole } from '../../src/http/console-build.ts';

it('builds the console as users get it, also from a test: no script names a file of the checkout', async () => {
  const checkout = fileURLToPath(new URL('../../', import.meta.url));
  const folder = await builtConsole();
  const scripts = (await readdir(join(folder, 'assets'))).filter((name) => name.endsWith('.js'));
  expect(scripts).not.toEqual([]);
  for (const name of scripts) {
    expect(await readFile(join(folder, 'assets', name), 'utf8'), name).not.toContain(checkout);
  }
});
