/** The clients for agents: what becomes of events when the server, the agent or the token goes. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative as relativeTo } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTokens, makeToken, type Scope } from '../../src/domain/token.ts';
import { runCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Agent, CLIENTS, LANGUAGES, type Language, startAgent } from './agent.ts';
import { startPickyProxy } from './picky-proxy.ts';
import { isDense, linesOf, storedTask, taskOnce } from './stored.ts';
import { type Got, startStubServer, stored } from './stub-server.ts';

const LONG_MS = 120_000;
const NOBODY = 'http://127.0.0.1:9';
const TLS = join(import.meta.dirname, 'tls');
/** The first time Go compiles its library with the race detector. */
const BUILD_MS = 300_000;
/** A call that waits for a request takes five seconds; one that does not may find the machine busy with other tests. */
const AT_ONCE_MS = 4_500;

let directory: string;
let server: TestServer;
let agentToken: string;
let reader: { url: string; token: string };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shiplog-clients-'));
  const made = (scopes: Scope[]) => makeToken('', scopes, null, Date.now());
  const tokens = [made(['ingest']), made(['read'])] as const;
  const tokensFile = join(directory, 'tokens.json');
  await writeFile(tokensFile, formatTokens(tokens.map(({ record }) => record)));
  agentToken = tokens[0].token;
  server = await startServer({
    env: { SHIPLOG_TOKENS_FILE: tokensFile, SHIPLOG_STALE_AFTER_SECONDS: '3' },
  });
  reader = { url: server.url, token: tokens[1].token };
  for (const language of LANGUAGES) await startAgent(language, settings(language, 'x')).kill();
}, BUILD_MS);
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const settings = (language: Language, name: string, url = server.url) => ({
  SHIPLOG_URL: url,
  SHIPLOG_SPOOL: join(directory, `${language}-${name}`),
});

/** The same for each language, at the same time; what came of it by its name. */
async function each<T>(act: (language: Language) => Promise<T>): Promise<Record<string, T>> {
  const results = await Promise.all(LANGUAGES.map(async (l) => [l, await act(l)] as const));
  return Object.fromEntries(results);
}
const all = <T>(value: T) => Object.fromEntries(LANGUAGES.map((language) => [language, value]));

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const sorted = (lines: number[]) => [...lines].sort((a, b) => a - b);

describe('a client for agents', () => {
  it(
    'has each event counted once and in order, though server and agent are killed in the middle',
    async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-clients-'));
      const first = await startServer({ dataDir });
      const agents = new Map<Language, Agent>();
      await each(async (language) => {
        const agent = startAgent(language, settings(language, 'crash', first.url));
        agents.set(language, agent);
        await agent.call('start', `crash-${language}`, 'shop', '1.4.2');
        await agent.call('step', `crash-${language}`, 'web-1', 'download');
        await agent.call('running', 'curl -fO "https://example.org/a b"');
        await agent.call('lines', 1, 300);
        expect((await agent.call('flush', 20)).result).toBe('true');
        await agent.call('lines', 301, 450);
      });
      await first.kill();
      await each(async (language) => {
        await agents.get(language)?.call('lines', 451, 600);
        await agents.get(language)?.kill();
      });
      const second = await startServer({ dataDir, port: first.port });
      const came = await each(async (language) => {
        const task = `crash-${language}`;
        const agent = startAgent(language, settings(language, 'crash', second.url));
        await agent.call('step', task, 'web-1', 'download');
        await agent.call('lines', 601, 700);
        await agent.call('progress', 3, 4, 'files');
        await agent.call('failed', 3, 'the disk is full: "ä\\b"');
        await agent.call('finish', task, 'FAILED');
        const { result } = await agent.call('close', 20);
        expect(await agent.end(), agent.stderr()).toBe(0);
        expect(agent.stderr()).not.toContain('DATA RACE');
        const found = await storedTask(second, task, 'web-1');
        return {
          left: result,
          lines: found === null ? [] : sorted(linesOf(found)),
          isDense: found !== null && isDense(found),
          received: found?.run?.completeness,
          step: found?.run?.step,
          task: [found?.service, found?.status],
          spool: (await readdir(settings(language, 'crash').SHIPLOG_SPOOL)).length,
        };
      });
      await second.stop();
      await rm(dataDir, { recursive: true, force: true });
      expect(came).toEqual(
        all({
          left: '0',
          lines: numbers(1, 700),
          isDense: true,
          received: { complete: true, received: 703 },
          step: { status: 'FAILED', exitCode: 3, error: { message: 'the disk is full: "ä\\b"' } },
          task: ['shop', 'FAILED'],
          spool: 0,
        }),
      );
    },
    LONG_MS,
  );

  it(
    'never delays a step for a server that is away, and says in the log what gave way meanwhile',
    async () => {
      const silent: Server = createServer(() => {}).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const away = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const lines = 6_000;
      const came = await each(async (language) => {
        const env = {
          ...settings(language, 'away', away),
          SHIPLOG_QUEUE_BYTES: '400000',
          SHIPLOG_SPOOL_BYTES: '400000',
          SHIPLOG_TOKEN_FILE: await tokenFile(`${language}-away`, agentToken),
        };
        const first = startAgent(language, env);
        const times = [
          await first.call('step', `away-${language}`, 'web-1', 'download'),
          await first.call('running', 'make'),
          await first.call('lines', 1, lines),
          await first.call('succeeded'),
        ].map(({ ms }) => ms);
        await first.call('close', 1);
        expect(await first.end()).toBe(0);
        const kept = await spooled(env.SHIPLOG_SPOOL);
        const second = startAgent(language, { ...env, SHIPLOG_URL: server.url });
        await second.call('close', 20);
        await second.end();
        const found = await taskOnce(
          reader,
          `away-${language}`,
          'web-1',
          ({ run }) => run?.step?.status === 'SUCCEEDED',
        );
        const gaveWay = found.events.flatMap(({ message }) => {
          const [, count] = /^\[shiplog\] (\d+) .* dropped here/.exec(message ?? '') ?? [];
          return count === undefined ? [] : [Number(count)];
        });
        const seen = linesOf(found);
        return {
          atOnce: times.every((ms) => ms < AT_ONCE_MS) || times,
          status: found.run?.step?.status,
          isBounded: kept.bytes < 3 * 400_000 || kept.bytes,
          isPrivate: kept.othersCanRead.length === 0 || kept.othersCanRead,
          lost: seen.length < lines,
          newest: seen.includes(lines),
          all: seen.length + gaveWay.reduce((sum, count) => sum + count, 0),
        };
      });
      silent.closeAllConnections();
      silent.close();
      expect(came).toEqual(
        all({
          atOnce: true,
          status: 'SUCCEEDED',
          isBounded: true,
          isPrivate: true,
          lost: true,
          newest: true,
          all: lines,
        }),
      );
    },
    LONG_MS,
  );

  it(
    'goes on with the next token, in smaller requests, past what is refused, and as often as the server wants',
    async () => {
      const proxy = await startPickyProxy(server.url, 20_000);
      const came = await each(async (language) => {
        const env = {
          ...settings(language, 'picky', `${proxy.url}/${language}`),
          SHIPLOG_TOKEN_FILE: await tokenFile(`${language}-picky`, 'shp_old'),
        };
        const task = `picky-${language}`;
        const agent = startAgent(language, env);
        await agent.call('step', task, 'bad*host', 'download');
        await agent.call('line', 'no host has such a name');
        await agent.call('step', task, 'web-1', 'download');
        await agent.call('running', 'make');
        await agent.call('lines', 1, 300);
        await agent.call('long', 70_000);
        await agent.call('line', 'after it');
        await proxy.refused(language);
        await tokenFile(`${language}-picky`, agentToken);
        const { result } = await agent.call('flush', 20);
        const found = await taskOnce(reader, task, 'web-1', ({ events }) =>
          events.some(({ level }) => level === 'TRACE'),
        );
        await agent.call('succeeded');
        await agent.call('close', 20);
        await agent.end();
        const messages = found.events.map(({ message }) => message ?? '');
        return {
          flushed: result,
          lines: sorted(linesOf(found)),
          long: messages.filter((message) => /\[shiplog[\]:].* (left out|cut)/.test(message))
            .length,
          after: messages.filter((message) => message === 'after it').length,
          signs: found.events.some(
            ({ level, status }) => level === 'TRACE' && status === 'RUNNING',
          ),
          said: /host/.test(agent.stderr()),
          complete: found.run?.completeness.complete,
        };
      });
      proxy.stop();
      expect(came).toEqual(
        all({
          flushed: 'true',
          lines: numbers(1, 300),
          long: 1,
          after: 1,
          signs: true,
          said: true,
          complete: true,
        }),
      );
    },
    LONG_MS,
  );

  it(
    'asks a proxy that takes little for more only until it knows, and then for hardly less than it takes',
    async () => {
      const mostBytes = 20_000;
      const sizeOf = ({ lines }: Got) => lines.join('\n').length + 1;
      const came = await each(async (language) => {
        const proxy = await startStubServer((got) =>
          sizeOf(got) > mostBytes ? { status: 413, body: '' } : stored(got),
        );
        const agent = startAgent(language, settings(language, 'little', proxy.url));
        await agent.call('step', 'little', 'web-1', 'download');
        await agent.call('lines', 1, 400);
        expect((await agent.call('flush', 20)).result, agent.stderr()).toBe('true');
        const isRefused = proxy.got.map((got) => sizeOf(got) > mostBytes);
        await agent.call('lines', 401, 1_500);
        expect((await agent.call('flush', 20)).result, agent.stderr()).toBe('true');
        await agent.kill();
        proxy.stop();
        const later = proxy.got.slice(isRefused.length).map(sizeOf);
        return {
          refused: isRefused.includes(true),
          refusedLater: later.filter((size) => size > mostBytes).length,
          // Half of the first that was refused and by less than another half too large.
          isFull: Math.max(...later) > mostBytes / 2 - 500 || later,
        };
      });
      expect(came).toEqual(all({ refused: true, refusedLater: 0, isFull: true }));
    },
    LONG_MS,
  );

  it(
    'tries again, more and more slowly, what a firewall answers with a page of its own, says so once and keeps to its bounds',
    async () => {
      const lines = 1_500;
      const queueBytes = 100_000; // less than a request may have
      const came = await each(async (language) => {
        const fifth = Promise.withResolvers<number>();
        let isOpen = false;
        const began = performance.now();
        const firewall = await startStubServer((got, earlier) => {
          if (isOpen) return stored(got);
          if (earlier.length === 4) fifth.resolve(performance.now() - began);
          return { status: 400, body: '<h1>Request rejected. Your support ID is 1234</h1>' };
        });
        const env = {
          ...settings(language, 'firewall', firewall.url),
          SHIPLOG_QUEUE_BYTES: String(queueBytes),
          SHIPLOG_SPOOL_BYTES: String(queueBytes),
        };
        const agent = startAgent(language, env);
        const times = [
          await agent.call('step', 'firewall', 'web-1', 'download'),
          await agent.call('lines', 1, lines),
          await agent.call('succeeded'),
        ].map(({ ms }) => ms);
        const took = await fifth.promise;
        const { bytes } = await spooled(env.SHIPLOG_SPOOL);
        isOpen = true;
        const { result } = await agent.call('flush', 20);
        await agent.kill();
        firewall.stop();
        const arrived = firewall.got.flatMap((got) => got.lines).join('\n');
        return {
          atOnce: times.every((ms) => ms < AT_ONCE_MS) || times,
          said: agent.stderr().match(/answer[^\n]* \(?400/g)?.length,
          isSlower: took > 700 || took,
          isBounded: bytes < 3 * queueBytes || bytes,
          flushed: result,
          newest: arrived.includes(`"line ${lines}"`),
          ended: arrived.includes('SUCCEEDED'),
        };
      });
      expect(came).toEqual(
        all({
          ...{ atOnce: true, said: 1, isSlower: true, isBounded: true },
          ...{ flushed: 'true', newest: true, ended: true },
        }),
      );
    },
    LONG_MS,
  );

  it('gets past what a firewall refuses for its text, which is kept beside the log and named in it', async () => {
    const refused = { status: 403, body: '<h1>Request rejected. Your support ID is 1234</h1>' };
    const came = await each(async (language) => {
      const firewall = await startStubServer((got) =>
        got.lines.some((line) => line.includes('DROP TABLE')) ? refused : stored(got),
      );
      const env = settings(language, 'refused', firewall.url);
      const agent = startAgent(language, env);
      await agent.call('step', 'refused', 'web-1', 'download');
      await agent.call('line', 'DROP TABLE deployments');
      await agent.call('lines', 1, 1);
      await agent.call('failed', 7, 'near "DROP TABLE"');
      const { result } = await agent.call('flush', 30);
      await agent.kill();
      firewall.stop();
      const sent = firewall.got
        .filter(({ lines }) => !lines.some((line) => line.includes('DROP TABLE')))
        .flatMap(({ lines }) => lines.filter((line) => line.trim() !== ''))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      const told = sent.filter(({ eventId }) => String(eventId).endsWith('-refused'));
      const kept = (await readFile(join(env.SHIPLOG_SPOOL, 'refused.ndjson'), 'utf8')).trimEnd();
      // What it sends is what the server takes, and what it keeps can be sent besides.
      const taken = await fetch(`${server.url}/v1/events`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-ndjson',
          authorization: `Bearer ${agentToken}`,
        },
        body: [...told.map((one) => JSON.stringify(one)), ...kept.split('\n')].join('\n'),
      });
      return {
        flushed: result,
        lines: sent.filter(({ message }) => /^line \d+$/.test(String(message))).length,
        told: told.map(({ status, exitCode, error, message }) => [
          ...[status ?? null, exitCode ?? null],
          /set aside/.test(String((error as { message?: string })?.message ?? message)),
        ]),
        kept: kept.split('\n').filter((line) => line.includes('DROP TABLE')).length,
        taken: ((await taken.json()) as { stored: number }).stored,
        said: agent.stderr().match(/set aside[^\n]*403[^\n]*refused\.ndjson/g)?.length,
      };
    });
    expect(came).toEqual(
      all({
        ...{ flushed: 'true', lines: 1, kept: 2, taken: 4, said: 2 },
        told: [
          [null, null, true],
          ['FAILED', 7, true],
        ],
      }),
    );
  });

  it('says what is wrong with a certificate that nobody vouches for, and delays no step for it', async () => {
    const secure = createSecureServer({
      key: await readFile(join(TLS, 'key.pem')),
      cert: await readFile(join(TLS, 'certificate.pem')),
    }).listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    const came = await each(async (language) => {
      const agent = startAgent(language, settings(language, 'tls', url));
      await agent.call('step', 'tls', 'web-1', 'download');
      const { ms } = await agent.call('line', 'line 1');
      await expect.poll(() => agent.stderr(), { timeout: 20_000 }).toMatch(/certifi?cat/i);
      await agent.call('close', 0);
      const code = await agent.end();
      return [
        ms < AT_ONCE_MS || ms,
        code,
        (await spooled(settings(language, 'tls').SHIPLOG_SPOOL)).bytes > 0,
      ];
    });
    secure.close();
    expect(came).toEqual(all([true, 0, true]));
  });

  it('takes a token with an end of line, as files and secrets have it', async () => {
    const came = await each(async (language) => {
      const env = { ...settings(language, 'newline'), SHIPLOG_TOKEN: `${agentToken}\r\n` };
      const agent = startAgent(language, env);
      await agent.call('step', `newline-${language}`, 'web-1', 'download');
      await agent.call('line', 'line 1');
      const { result } = await agent.call('flush', 10);
      await agent.kill();
      return [result, agent.stderr()];
    });
    expect(came).toEqual(all(['true', '']));
  });

  it('finds its spool directory and its token file wherever the agent has gone meanwhile', async () => {
    // Deep enough that no path from here leads to the same from there.
    const elsewhere = join(directory, ...'elsewhere, and far from here'.split(''));
    await mkdir(elsewhere, { recursive: true });
    const mobile: Language[] = ['go', 'python', 'sh']; // Java cannot go elsewhere
    const came = await each(async (language) => {
      if (!mobile.includes(language)) return null;
      const env = settings(language, 'moved', NOBODY);
      const file = await tokenFile(`${language}-moved`, 'shp_old');
      const relative = {
        ...env,
        SHIPLOG_SPOOL: relativeTo(process.cwd(), env.SHIPLOG_SPOOL),
        SHIPLOG_TOKEN_FILE: relativeTo(process.cwd(), file),
      };
      const first = startAgent(language, relative);
      await first.call('step', `moved-${language}`, 'web-1', 'download');
      await first.call('chdir', elsewhere);
      await first.call('lines', 1, 3);
      await first.kill();
      const proxy = await startPickyProxy(server.url, 100_000);
      const second = startAgent(language, { ...relative, SHIPLOG_URL: `${proxy.url}/${language}` });
      await second.call('step', `moved-${language}`, 'web-1', 'download');
      await second.call('chdir', elsewhere);
      await second.call('lines', 4, 5);
      await proxy.refused(language);
      await tokenFile(`${language}-moved`, agentToken);
      await second.call('close', 20);
      await second.end();
      proxy.stop();
      const found = await storedTask(reader, `moved-${language}`, 'web-1');
      const left = await readdir(env.SHIPLOG_SPOOL);
      return [...(found === null ? [] : sorted(linesOf(found))), ...left];
    });
    expect(came).toEqual({
      ...all([1, 2, 3, 4, 5]),
      ...(LANGUAGES.includes('java') && { java: null }),
    });
  });

  it('asks the proxy that the environment names', async () => {
    const came = await each(async (language) => {
      const proxy = await startStubServer(stored);
      const { port } = new URL(proxy.url);
      const agent = startAgent(language, {
        ...settings(language, 'proxy', 'http://shiplog.invalid:4000'),
        http_proxy: proxy.url,
        HTTP_PROXY: proxy.url,
        JAVA_TOOL_OPTIONS: `-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=${port}`,
      });
      await agent.call('step', 'proxy', 'web-1', 'download');
      await agent.call('line', 'line 1');
      const { result } = await agent.call('flush', 10);
      await agent.kill();
      proxy.stop();
      return [result, proxy.got[0]?.path];
    });
    expect(came).toEqual(all(['true', 'http://shiplog.invalid:4000/v1/events']));
  });

  it.each(['shiplog.example.org', 'http://', 'http://:4000'])(
    'says at once that %s is no address',
    async (url) => {
      const came = await each(async (language) => {
        if (language === 'sh') return true; // it never fails
        const agent = startAgent(language, settings(language, 'address', url));
        const said = await agent.call('step', 'x', 'web-1', 'download').catch(String);
        return /url must (begin|have)/i.test(String(said)) || said;
      });
      expect(came).toEqual(all(true));
    },
  );
});

describe.runIf(LANGUAGES.includes('sh'))('shiplog.sh as a wrapper', () => {
  const script = join(CLIENTS, 'sh', 'shiplog.sh');
  const wrap = async (task: string, url: string, ...command: string[]) => {
    const SHIPLOG_TOKEN_FILE = await tokenFile(task, agentToken);
    return runCli(['run', task, 'web-1', 'download', ...command], {
      command: ['sh', script],
      env: { SHIPLOG_URL: url, SHIPLOG_TOKEN_FILE },
    });
  };

  it('passes output and exit code of the command on, and reports them', async () => {
    const program = 'printf "one\\ntwo\\377\\0\\n"; echo "no space left" >&2; exit 3';
    const ended = await wrap('wrapped', server.url, 'sh', '-c', program);
    expect([ended.code, ended.stdout, ended.stderr]).toEqual([
      3,
      'one\ntwo�\0\n',
      'no space left\n',
    ]);
    const found = await taskOnce(
      reader,
      'wrapped',
      'web-1',
      ({ run }) => run?.step?.status === 'FAILED',
    );
    expect(found.run?.step).toEqual({
      status: 'FAILED',
      exitCode: 3,
      error: { message: 'no space left' },
    });
    const messages = found.events.flatMap(({ message }) => (message === null ? [] : [message]));
    // What awk makes of NUL is its own affair.
    const [why, one, two] = messages.sort();
    expect([why, one, two?.slice(0, 4)]).toEqual(['no space left', 'one', 'two�']);
    expect(isDense(found)).toBe(true);
  });

  it('is over soon after the command though nobody listens', async () => {
    const began = performance.now();
    const ended = await wrap('nobody', 'http://127.0.0.1:9', 'sh', '-c', 'echo fine');
    expect([ended.code, ended.stdout]).toEqual([0, 'fine\n']);
    expect(ended.stderr).toContain('3 events were not delivered');
    expect(performance.now() - began).toBeLessThan(AT_ONCE_MS * 2);
  });
});

describe.runIf(LANGUAGES.includes('go'))('shiplog.go', () => {
  it('is as gofmt and go vet want it', () => {
    const cwd = join(CLIENTS, 'go');
    expect(execFileSync('gofmt', ['-l', '.'], { cwd, encoding: 'utf8' })).toBe('');
    execFileSync('go', ['vet', './...'], { cwd });
  });
});

/** Written anew, so that nobody reads half of one. */
async function tokenFile(name: string, token: string): Promise<string> {
  const path = join(directory, `${name}.token`);
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  expect(await readFile(path, 'utf8')).toBe(`${token}\n`);
  return path;
}

async function spooled(spool: string): Promise<{ bytes: number; othersCanRead: string[] }> {
  const found = { bytes: 0, othersCanRead: [] as string[] };
  for (const name of await readdir(spool, { recursive: true })) {
    const info = await stat(join(spool, name));
    if (info.isFile() && name.endsWith('.ndjson')) found.bytes += info.size;
    if ((info.mode & 0o077) !== 0) found.othersCanRead.push(name);
  }
  return found;
}
