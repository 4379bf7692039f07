/** Programs that have to be built: into `.cache/senders`, once for what they are built from. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE } from './places.ts';

const run = promisify(execFile);

/** Of a folder beside this file, which has a Go module. */
export async function goProgram(name: string): Promise<string> {
  const folder = join(import.meta.dirname, name);
  return once(name, [join(folder, 'main.go'), join(folder, 'go.sum')], (out) =>
    run('go', ['-C', folder, ...BUILD, '-o', out, '.'], BOUNDS),
  );
}

const BUILD = ['build', '-buildvcs=false', '-trimpath', '-ldflags=-s -w -checklinkname=0'];
const BOUNDS = { timeout: 30 * 60_000, maxBuffer: 64 * 1024 * 1024 };

/** From its own module, with what that replaces. */
export async function filebeat(version: string): Promise<string> {
  return once(`filebeat-${version}`, [], async (out) => {
    const module = `github.com/elastic/beats/v7@v${version}`;
    const { stdout } = await run('go', ['mod', 'download', '-json', module], BOUNDS);
    const { Dir } = JSON.parse(stdout) as { Dir: string };
    await run('go', ['-C', Dir, ...BUILD, '-o', out, './filebeat'], BOUNDS);
  });
}

/** The class path of the Java programs. */
export async function javaPrograms(): Promise<string> {
  const folder = join(import.meta.dirname, 'java');
  const pom = join(folder, 'pom.xml');
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith('.java'))
    .map((name) => join(folder, name));
  const libraries = await once('java-libraries', [pom], (out) =>
    run(
      'mvn',
      ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${out}`],
      BOUNDS,
    ),
  );
  const classes = await once('java-classes', [pom, ...sources], (out) =>
    run('javac', ['--release', '17', '-cp', `${libraries}/*`, '-d', out, ...sources], BOUNDS),
  );
  return `${classes}:${libraries}/*`;
}

/** What is made is named after its sources; half of it is made again. */
async function once(
  name: string,
  sources: readonly string[],
  make: (out: string) => Promise<unknown>,
): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source));
  const place = join(CACHE, `${name}-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(place)) return place;
  mkdirSync(CACHE, { recursive: true });
  rmSync(`${place}.half`, { recursive: true, force: true });
  await make(`${place}.half`);
  renameSync(`${place}.half`, place);
  return place;
}
