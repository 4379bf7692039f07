/** The parts in Go and Java, compiled into `.cache/`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const EXAMPLE = import.meta.dirname;
const OUT = resolve(EXAMPLE, '../../.cache/release-system');
const JAVA = join(EXAMPLE, 'release-service');

export interface Built {
  /** Programs. */
  agent: string;
  shop: string;
  /** A class path. */
  releaseService: string;
}

/** Needs go, javac, and for the first time Maven, which fetches the Elasticsearch client. */
export function build(): Built {
  mkdirSync(OUT, { recursive: true });
  const go = (name: string) => {
    const out = join(OUT, name);
    const args = ['build', '-ldflags', '-s -w', '-o', out, `./${name}`];
    execFileSync('go', args, { cwd: EXAMPLE, stdio: 'inherit' });
    return out;
  };
  const pom = readFileSync(join(JAVA, 'pom.xml'));
  const libraries = join(OUT, `lib-${createHash('sha256').update(pom).digest('hex').slice(0, 12)}`);
  if (!existsSync(libraries)) {
    const args = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${libraries}`];
    const { status, stdout } = spawnSync('mvn', args, { cwd: JAVA, encoding: 'utf8' });
    if (status !== 0) throw new Error(`mvn ended with ${status}:\n${stdout}`);
  }
  const classes = join(OUT, 'classes');
  const sources = join(JAVA, 'src/main/java/release');
  execFileSync('javac', [
    ...['--release', '17', '-cp', `${libraries}/*`, '-d', classes],
    ...readdirSync(sources).map((file) => join(sources, file)),
  ]);
  return { agent: go('agent'), shop: go('shop'), releaseService: `${classes}:${libraries}/*` };
}
