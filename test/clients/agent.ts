/**
 * Agents in four languages around the clients in `clients/`, built once. Each does what its stdin says,
 * a command a line, and says how long the call took.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
export const CLIENTS = join(ROOT, 'clients');
const AGENTS = join(import.meta.dirname, 'agents');
/** Of this worker alone: another one may run what it has built while this one builds. */
const BUILT = join(ROOT, '.cache', 'clients', process.env.VITEST_POOL_ID ?? '0');

export type Language = 'go' | 'java' | 'python' | 'sh';
type Command = readonly [string, ...string[]];

const NEEDS: Record<Language, readonly string[]> = {
  go: ['go'],
  java: ['javac', 'java'],
  python: ['python3'],
  sh: ['sh', 'curl', 'awk'],
};

/** Those that this machine has the tools for. Under CI it must have them all. */
export const LANGUAGES = (Object.keys(NEEDS) as Language[]).filter((language) => {
  const missing = NEEDS[language].filter((tool) => !isInstalled(tool));
  if (missing.length === 0) return true;
  const problem = `the ${language} client is not tested here: ${missing.join(', ')} not found`;
  if (process.env.CI === 'true') throw new Error(problem);
  process.stderr.write(`skipped: ${problem}\n`);
  return false;
});

export function isInstalled(tool: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
}

/** Go with its race detector, which needs a C compiler, so that every test is one for races, too. */
export function buildGo(directory: string, binary: string): void {
  const race = isInstalled('gcc') ? ['-race'] : [];
  execFileSync('go', ['build', ...race, '-o', binary, '.'], { cwd: directory });
}

function build(language: Language): Command {
  const out = join(BUILT, language);
  mkdirSync(out, { recursive: true });
  switch (language) {
    case 'go': {
      const binary = join(out, 'agent');
      // Another file of tests may be starting the one that is there.
      const fresh = `${binary}.${process.pid}`;
      buildGo(AGENTS, fresh);
      renameSync(fresh, binary);
      return [binary];
    }
    case 'java':
      execFileSync('javac', [
        ...['--release', '11', '-Xlint:all', '-Werror', '-d', out],
        join(CLIENTS, 'java', 'Shiplog.java'),
        join(AGENTS, 'Agent.java'),
      ]);
      return ['java', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-cp', out, 'Agent'];
    case 'python':
      return ['python3', join(AGENTS, 'agent.py')];
    case 'sh':
      return ['sh', join(AGENTS, 'agent.sh')];
  }
}

const commands = new Map<Language, Command>();
/** How long a process that an agent left behind may keep its stderr open before its end is told. */
const STDERR_MS = 500;

export interface Done {
  ms: number;
  result: string;
}

export interface Agent {
  /** Resolves when the call has returned in the agent. */
  call(name: string, ...words: (string | number)[]): Promise<Done>;
  /** SIGKILL to it and all that it started. */
  kill(): Promise<void>;
  /** Its end of itself, when it has nothing more to do. */
  end(): Promise<number | null>;
  stderr(): string;
  /** Resolves when nobody reads it any more. */
  closeStderr(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) killGroup(child);
});

/** In a process group of its own. */
export function startAgent(language: Language, env: Record<string, string>): Agent {
  const known = commands.get(language);
  const command = known ?? build(language);
  commands.set(language, command);
  const [file, ...args] = command;
  const child = spawn(file, args, {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PYTHONPATH: join(CLIENTS, 'python'),
      PYTHONDONTWRITEBYTECODE: '1',
      SHIPLOG_SH: join(CLIENTS, 'sh', 'shiplog.sh'),
      ...env,
    },
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  const waiting: ((done: Done) => void)[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${stdout}${text}`.split('\n');
    stdout = lines.pop() ?? '';
    for (const line of lines) {
      const [, , ms, result = ''] = line.split(' ');
      waiting.shift()?.({ ms: Number(ms), result });
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      running.delete(child);
      // What it said last may not have been read yet.
      const timer = setTimeout(() => resolve(code), STDERR_MS);
      child.once('close', () => {
        clearTimeout(timer);
        resolve(code);
      });
    });
  });
  return {
    call(name, ...words) {
      child.stdin.write(`${[name, ...words].join('\t')}\n`);
      const done = new Promise<Done>((resolve) => waiting.push(resolve));
      const gone = ended.then((code): never => {
        throw new Error(`the ${language} agent ended with ${code} in ${name}:\n${stderr}`);
      });
      return Promise.race([done, gone]);
    },
    async kill() {
      killGroup(child);
      await ended;
    },
    end() {
      child.stdin.end();
      return ended;
    },
    stderr: () => stderr,
    async closeStderr() {
      const closed = once(child.stderr, 'close');
      child.stderr.destroy();
      await closed;
    },
  };
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
