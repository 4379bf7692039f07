/** What can be held against the sources without an engine that builds images. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPTIONS } from '../src/config-options.ts';
import { NODE, runCli } from './support/cli.ts';
import { startServer } from './support/server.ts';

const ROOT = resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const dockerfile = read('Dockerfile');

describe('The container image', () => {
  it('is made of files that are there and that .dockerignore lets through', () => {
    const ignore = read('.dockerignore').split('\n');
    expect(ignore).toContain('*');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, files]) =>
      (files as string).split(' ').slice(0, -1),
    );
    expect(copied).toContain('src');
    expect(copied.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    expect(copied.filter((file) => !ignore.includes(`!${file.split('/')[0]}`))).toEqual([]);
  });

  it('has the Node that the tests ran on', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: Record<string, string>;
    };
    expect(dockerfile).toContain(`ARG NODE_VERSION=${devDependencies.node}\n`);
  });

  it('sets only options that exist, as compose.yaml does', () => {
    const known = Object.values(OPTIONS).map(({ env }) => env as string);
    const set = `${dockerfile}\n${read('compose.yaml')}`.matchAll(
      /^ *(?:ENV )?(SHIPLOG_\w+)[=:]/gm,
    );
    const names = [...set].map(([, name]) => name as string);
    expect(names).toContain('SHIPLOG_TOKENS_FILE');
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('is healthy while the server answers, and not when it is gone', async () => {
    const [, json = ''] = /^HEALTHCHECK .*\\\n +CMD (\[.+\])$/m.exec(dockerfile) ?? [];
    const [program, ...args] = JSON.parse(json) as string[];
    expect(program).toBe('node');
    const server = await startServer();
    const check = () =>
      runCli(args, { command: [NODE], env: { SHIPLOG_PORT: String(server.port) } });
    expect(await check()).toMatchObject({ code: 0, stderr: '' });
    await server.stop();
    expect(await check()).toMatchObject({ code: 1, stderr: '' });
  });
});
