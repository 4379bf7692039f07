/**
 * The Elasticsearch that tests run: its jars by Maven, laid out as a home that any number of nodes
 * share, and a launcher compiled against it. Made once and kept in `.cache/elasticsearch`
 * (`SHIPLOG_TEST_ELASTICSEARCH_CACHE` names another place).
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = import.meta.dirname;
const OLDEST_JAVA = 21;
/** To be changed with how the home is laid out. */
const LAYOUT = '2';

export interface Distribution {
  java: string;
  home: string;
  /** The launcher, a jar: the classes of folders cannot be archived. */
  launcher: string;
}

/** Said where there is no Elasticsearch to test with: what is missing, for a person to read. */
export class ElasticsearchMissing extends Error {}

/** The distribution, made now if it is not there yet (a minute the first time). */
export async function distribution(): Promise<Distribution> {
  const jdk = await findJdk();
  const pom = readFileSync(join(HERE, 'pom.xml'));
  const launcher = readFileSync(join(HERE, 'Launcher.java'));
  const key = createHash('sha256')
    .update(LAYOUT)
    .update(pom)
    .update(launcher)
    .update(jdk)
    .digest('hex');
  const cache =
    process.env.SHIPLOG_TEST_ELASTICSEARCH_CACHE ?? resolve(HERE, '../../.cache/elasticsearch');
  const home = join(cache, key.slice(0, 16));
  const found = { java: join(jdk, 'bin/java'), home, launcher: join(home, 'launcher.jar') };
  if (existsSync(join(home, 'complete'))) return found;

  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, 'draft-'));
  try {
    await resolveJars(join(draft, 'lib'));
    layOut(draft, /<elasticsearch.version>(.+)</.exec(pom.toString())?.[1] ?? '');
    await run(join(jdk, 'bin/javac'), [
      ...['-cp', join(draft, 'lib/*'), '-d', join(draft, 'launcher')],
      join(HERE, 'Launcher.java'),
    ]);
    await run(join(jdk, 'bin/jar'), [
      ...['--create', '--file', join(draft, 'launcher.jar')],
      ...['-C', join(draft, 'launcher'), '.'],
    ]);
    writeFileSync(join(draft, 'complete'), '');
    // Another process may have made the same meanwhile; either is good.
    if (!existsSync(home)) renameSync(draft, home);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return found;
}

async function resolveJars(into: string): Promise<void> {
  try {
    await run('mvn', [
      ...['-q', '-B', '-f', join(HERE, 'pom.xml')],
      ...['dependency:copy-dependencies', `-DoutputDirectory=${into}`],
    ]);
  } catch (error) {
    const { code, stdout } = error as { code?: unknown; stdout?: string };
    throw new ElasticsearchMissing(
      code === 'ENOENT'
        ? 'Maven (mvn) is not on the PATH'
        : `Maven could not get the jars of Elasticsearch: ${String(stdout).slice(0, 500)}`,
    );
  }
}

function layOut(home: string, version: string): void {
  const lib = join(home, 'lib');
  const netty = join(home, 'modules/transport-netty4');
  mkdirSync(netty, { recursive: true });
  for (const jar of readdirSync(lib)) {
    if (/^(netty-|transport-netty4)/.test(jar)) renameSync(join(lib, jar), join(netty, jar));
  }
  const descriptor = {
    description: 'transport',
    version,
    name: 'transport-netty4',
    'java.version': String(OLDEST_JAVA),
    'elasticsearch.version': version,
    classname: 'org.elasticsearch.transport.netty4.Netty4Plugin',
    'has.native.controller': 'false',
    licensed: 'false',
  };
  writeFileSync(
    join(netty, 'plugin-descriptor.properties'),
    Object.entries(descriptor)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  mkdirSync(join(home, 'config'));
  cpSync(join(HERE, 'log4j2.properties'), join(home, 'config/log4j2.properties'));
}

/** A JDK (not only a JRE: the launcher is compiled) that is new enough. */
async function findJdk(): Promise<string> {
  const homes: string[] = [];
  if (process.env.JAVA_HOME !== undefined) homes.push(process.env.JAVA_HOME);
  const installed = '/usr/lib/jvm';
  if (existsSync(installed)) {
    homes.push(...readdirSync(installed).map((name) => join(installed, name)));
  }
  const path = (process.env.PATH ?? '').split(delimiter);
  homes.push(...path.filter((dir) => dir.endsWith('bin')).map((dir) => join(dir, '..')));
  for (const home of homes) {
    if ((await javacVersion(home)) >= OLDEST_JAVA) return home;
  }
  throw new ElasticsearchMissing(
    `there is no JDK ${OLDEST_JAVA} or later (looked at JAVA_HOME, ${installed} and the PATH)`,
  );
}

async function javacVersion(home: string): Promise<number> {
  const javac = join(home, 'bin/javac');
  if (!existsSync(javac)) return 0;
  try {
    const { stdout, stderr } = await run(javac, ['-version']);
    return Number(/javac (\d+)/.exec(stdout + stderr)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
