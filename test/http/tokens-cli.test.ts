import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Ended, startCli } from '../support/cli.ts';
import { startServer } from '../support/server.ts';

function newFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'shiplog-tokens-')), 'made', 'tokens');
}
function tokens(file: string, ...args: string[]): Promise<Ended> {
  return startCli(['tokens', ...args], { env: { SHIPLOG_TOKENS_FILE: file } }).ended;
}

describe('shiplog tokens', () => {
  it('makes a token that a running server takes, and takes it back', async () => {
    const file = newFile();
    const admin = (await tokens(file, 'create', '--scope', 'admin')).stdout.trim();
    expect(admin).toMatch(/^shp_[0-9a-z]{8}_\S{32}$/);
    const server = await startServer({
      env: { SHIPLOG_TOKENS_FILE: file, SHIPLOG_HOST: '0.0.0.0' },
    });
    const url = `http://127.0.0.1:${server.port}/graphql?query={__typename}`;
    const statusWith = async (token: string): Promise<number> =>
      (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await statusWith(admin)).toBe(200);
    expect((await fetch(url)).status).toBe(401);
    const made = await tokens(
      file,
      'create',
      '--scope',
      'read',
      '--name',
      'board',
      '--expires-in',
      '30d',
    );
    await expect.poll(() => statusWith(made.stdout.trim()), { timeout: 5_000 }).toBe(200);
    const id = admin.split('_')[1] ?? '';
    expect((await tokens(file, 'revoke', id)).code).toBe(0);
    await expect.poll(() => statusWith(admin), { timeout: 5_000 }).toBe(401);
    expect(server.stdout()).not.toContain(admin);
    expect((await server.stop()).code).toBe(0);
  });

  it('keeps hashes only, in a file for its owner alone, and lists no secret', async () => {
    const file = newFile();
    const { stdout } = await tokens(file, 'create', '--scope', 'ingest,read', '--name', 'agents');
    const secret = stdout.trim().slice('shp_12345678_'.length);
    expect(readFileSync(file, 'utf8')).not.toContain(secret);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const listed = await tokens(file, 'list', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject({
      name: 'agents',
      scopes: ['ingest', 'read'],
      expiresAt: null,
    });
    expect(listed.stdout).not.toContain('hash');
  });

  it('says what is wrong: no file, an unknown scope, an unknown id', async () => {
    const file = newFile();
    expect((await startCli(['tokens', 'list']).ended).code).toBe(2);
    expect((await tokens(file, 'create', '--scope', 'write')).code).toBe(2);
    const missing = await tokens(file, 'revoke', 'abcdefgh');
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain(file);
  });
});

describe('shiplog serve', () => {
  it('says all mistakes of its configuration at once and exits with 2', async () => {
    const { code, signal, stderr } = await startCli(['serve', '--log-level', 'loud'], {
      env: { SHIPLOG_PORT: 'x', SHIPLOG_HOST: '0.0.0.0', SHIPLOG_STROE: 'sqlite' },
    }).ended;
    expect({ code, signal }).toEqual({ code: 2, signal: null });
    for (const name of ['--log-level', 'SHIPLOG_PORT', 'SHIPLOG_STROE', 'SHIPLOG_STORE']) {
      expect(stderr).toContain(name);
    }
  });

  it('does not serve others without tokens unless it is told to', async () => {
    const { code, stderr } = await startCli(['serve', '--host', '0.0.0.0', '--port', '0']).ended;
    expect(code).toBe(2);
    expect(stderr).toContain('shiplog tokens create');
  });
});
