import { appendFileSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import { bearerToken, createAuth } from '../../src/http/auth.ts';

const log = { error: () => {} };
const START = Date.parse('2026-11-24T10:00:00Z');

function setUp() {
  const file = join(mkdtempSync(join(tmpdir(), 'shiplog-auth-')), 'tokens');
  const reader = makeToken('reader', ['read'], START + 60_000, START);
  const boss = makeToken('boss', ['admin'], null, START);
  writeFileSync(file, formatTokens([reader.record, boss.record]));
  const clock = { now: START };
  const problems: string[] = [];
  const faults: string[] = [];
  const auth = createAuth({
    tokensFile: file,
    now: () => clock.now,
    onProblem: (message) => problems.push(message),
    log: { error: (_, message) => faults.push(message) },
  });
  return { file, reader, boss, clock, problems, faults, auth };
}

describe('access tokens', () => {
  it('are not asked for where the server has none', () => {
    const auth = createAuth({ tokensFile: null, now: Date.now, onProblem: () => {}, log });
    expect(auth.required).toBe(false);
    expect([...auth.authenticate(null).scopes]).toEqual(['ingest', 'read', 'admin']);
  });

  it('let in with their scopes, and admin has all of them', () => {
    const { auth, reader, boss } = setUp();
    const read = auth.authenticate(reader.token);
    expect([...read.scopes]).toEqual(['read']);
    expect(() => auth.requireScope(read, 'ingest')).toThrow('lacks the scope "ingest"');
    expect([...auth.authenticate(boss.token).scopes]).toEqual(['ingest', 'read', 'admin']);
  });

  it('are stored as hashes only', () => {
    const { reader } = setUp();
    const secret = reader.token.split('_').slice(2).join('_');
    expect(formatTokens([reader.record])).not.toContain(secret);
  });

  it('get the same answer whether unknown, malformed or with a wrong secret', () => {
    const { auth, reader } = setUp();
    const wrong = `${reader.token.slice(0, -4)}AAAA`;
    const unknown = makeToken('', ['read'], null, START).token;
    const messages = [wrong, unknown, 'shp_x', '', 'é'.repeat(40)].map((token) => {
      try {
        auth.authenticate(token);
        return 'let in';
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(new Set(messages)).toEqual(new Set(['The token is not known']));
    expect(auth.failures().wrong).toBe(5);
    expect(() => auth.authenticate(null)).toThrow('A token is needed');
  });

  it('end at their expiry, also for who is in already', () => {
    const { auth, reader, clock } = setUp();
    const principal = auth.authenticate(reader.token);
    expect(auth.standing(principal)).toBe('ok');
    clock.now = START + 60_000;
    expect(auth.standing(principal)).toBe('expired');
    expect(() => auth.authenticate(reader.token)).toThrow('expired');
  });

  it('end for all who are in, also where one of them cannot be ended', async () => {
    const { auth, reader, clock, faults } = setUp();
    const principal = auth.authenticate(reader.token);
    auth.onEnd(principal, () => {
      throw new Error('it does not end');
    });
    const other = Promise.withResolvers<string>();
    auth.onEnd(principal, other.resolve);
    clock.now = START + 60_000;
    expect(await other.promise).toBe('expired');
    expect(faults).toEqual(['ending what its token no longer allows failed']);
    auth.close();
  });

  it('that were revoked are told like unknown ones and counted by themselves, as expired ones are', () => {
    const { auth, file, boss, reader, clock } = setUp();
    writeFileSync(file, formatTokens([reader.record]));
    clock.now += 2_000;
    expect(() => auth.authenticate(boss.token)).toThrow('The token is not known');
    const guessed = `${boss.token.slice(0, -4)}AAAA`;
    expect(() => auth.authenticate(guessed)).toThrow('The token is not known');
    clock.now += 60_000;
    expect(() => auth.authenticate(reader.token)).toThrow('expired');
    expect(auth.failures()).toMatchObject({ revoked: 1, wrong: 1, expired: 1 });
    writeFileSync(file, formatTokens([reader.record, boss.record]));
    clock.now += 2_000;
    expect(auth.authenticate(boss.token).tokenId).toBe(boss.record.id);
  });

  it('can be added and revoked while the server runs', () => {
    const { auth, file, boss, clock } = setUp();
    const principal = auth.authenticate(boss.token);
    const added = makeToken('new', ['ingest'], null, START);
    appendFileSync(file, formatTokens([added.record]));
    clock.now += 1_000;
    expect(auth.authenticate(added.token).tokenId).toBe(added.record.id);
    writeFileSync(`${file}.new`, formatTokens([added.record]));
    renameSync(`${file}.new`, file);
    clock.now += 1_000;
    expect(auth.standing(principal)).toBe('revoked');
    expect(() => auth.authenticate(boss.token)).toThrow('not known');
  });

  it('no longer hold as they were shown once their scopes, secret or expiry are changed', () => {
    const { auth, file, reader, boss, clock } = setUp();
    const shown = [auth.authenticate(boss.token), auth.authenticate(reader.token)];
    const standings = (...records: (typeof boss.record)[]) => {
      writeFileSync(`${file}.new`, formatTokens(records));
      renameSync(`${file}.new`, file);
      clock.now += 1_000;
      return shown.map((principal) => auth.standing(principal));
    };
    const { record } = boss;
    expect(standings(reader.record, record)).toEqual(['ok', 'ok']);
    expect(standings(reader.record, { ...record, scopes: ['read'] })).toEqual(['changed', 'ok']);
    expect(standings({ ...record, hash: reader.record.hash })).toEqual(['revoked', 'revoked']);
    const over = new Date(clock.now).toISOString();
    expect(standings({ ...record, expiresAt: over }, reader.record)).toEqual(['expired', 'ok']);
  });

  it('stay as they were when the file is damaged, and the operator is told', () => {
    const { auth, file, boss, clock, problems } = setUp();
    appendFileSync(file, '{"id":\n');
    clock.now += 1_000;
    expect(auth.authenticate(boss.token).tokenId).toBe(boss.record.id);
    expect(problems[0]).toContain('line 3');
  });

  it('are refused at start where the file is not there or not readable as tokens', () => {
    const options = { now: Date.now, onProblem: () => {}, log };
    expect(() => createAuth({ ...options, tokensFile: '/nowhere/tokens' })).toThrow('ENOENT');
  });

  it('come as a Bearer, in any case of letters, and as nothing else', () => {
    expect(bearerToken('Bearer abc')).toBe('abc');
    expect(bearerToken('bearer  abc ')).toBe('abc');
    expect(bearerToken('Basic abc')).toBeNull();
    expect(bearerToken(undefined)).toBeNull();
  });
});
