/** Secrets of many lines: no line of a private key is stored, whatever it comes with. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseStepEvent } from '../../src/domain/event/input.ts';
import { createRedactor } from '../../src/domain/redact/redact.ts';
import { KeyLines, type KeyLinesBatch } from '../../src/ingest/key-lines.ts';
import { cpuMs } from '../support/cpu-ms.ts';

const redactor = createRedactor();
const BASE = { taskId: 't', host: 'h', step: 's' };

function parsed(lines: KeyLinesBatch, fields: object) {
  const event = parseStepEvent({ ...BASE, ...fields }, 0, { redact: redactor, lines });
  if (!event.ok) throw new Error(event.problem.message);
  return event.event;
}
const stored = (lines: KeyLinesBatch, message: string, fields: object = {}) =>
  parsed(lines, { message, ...fields }).message ?? '';

const wrapped = (body: string, width: number) => body.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const ed = generateKeyPairSync('ed25519').privateKey;
const pem = (text: string | Buffer) => String(text).trimEnd().split('\n');
const random = (bytes: number) => randomBytes(bytes).toString('base64');

const KEYS: [kind: string, lines: string[]][] = [
  ['PKCS#8', pem(rsa.export({ type: 'pkcs8', format: 'pem' }))],
  ['PKCS#1', pem(rsa.export({ type: 'pkcs1', format: 'pem' }))],
  ['EC', pem(ec.export({ type: 'sec1', format: 'pem' }))],
  ['Ed25519, one line', pem(ed.export({ type: 'pkcs8', format: 'pem' }))],
  [
    'encrypted PKCS#8',
    pem(rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })),
  ],
  [
    'encrypted in the old way',
    pem(rsa.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' })),
  ],
  [
    'OpenSSH',
    [
      '-----BEGIN OPENSSH PRIVATE KEY-----',
      ...wrapped(
        `b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz${random(230)}`,
        70,
      ),
      '-----END OPENSSH PRIVATE KEY-----',
    ],
  ],
  [
    'PGP',
    [
      '-----BEGIN PGP PRIVATE KEY BLOCK-----',
      'Version: GnuPG v2',
      '',
      ...wrapped(`lQVYBGc${random(400)}`, 64),
      '=aB3x',
      '-----END PGP PRIVATE KEY BLOCK-----',
    ],
  ],
  [
    'OpenVPN',
    [
      '-----BEGIN OpenVPN Static key V1-----',
      ...wrapped(randomBytes(256).toString('hex'), 32),
      '-----END OpenVPN Static key V1-----',
    ],
  ],
  ['PuTTY', ['Private-Lines: 3', ...wrapped(random(140), 64), 'Private-MAC: 12ab']],
  [
    'SSH2',
    [
      '---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----',
      ...wrapped(`P2/56wAAA${random(200)}`, 70),
      '---- END SSH2 ENCRYPTED PRIVATE KEY ----',
    ],
  ],
];
const bodyOf = (lines: string[]) =>
  lines.filter((line) => /^=?[A-Za-z0-9+/]+=*$/.test(line) && !line.startsWith('Private'));

describe.each(KEYS)('a private key (%s)', (_kind, key) => {
  const body = bodyOf(key);
  const clean = (texts: string[]) => {
    const all = texts.join('\n');
    for (const line of body) expect(all).not.toContain(line);
  };

  it('is stored in none of its lines, and what stands behind it is', () => {
    const lines = new KeyLines(redactor).batch();
    const texts = [...key, 'the certificate is in place', 'done'].map((line) =>
      stored(lines, line),
    );
    clean(texts);
    expect(texts.slice(-2)).toEqual(['the certificate is in place', 'done']);
  });

  it('is known in however many requests, with lines of the other stream between', () => {
    const all = new KeyLines(redactor);
    const texts = key.map((line) => {
      expect(stored(all.batch(), 'still working', { stream: 'STDERR' })).toBe('still working');
      return stored(all.batch(), line, { stream: 'STDOUT' });
    });
    clean(texts);
  });

  it.each([
    ['indented', (line: string) => `    ${line}`],
    ['behind the name of a container', (line: string) => `web-1  | ${line}`],
    [
      'behind a time that goes on',
      (line: string, at: number) => `2026-11-24T03:04:${10 + at}Z stdout F ${line}`,
    ],
    ['in quotes, as a list', (line: string) => `  "${line}",`],
    ['coloured', (line: string) => `\u001b[33m${line}\u001b[0m`],
    ['with returns', (line: string) => `${line}\r`],
  ])('is known where its lines come %s', (_how, dress) => {
    const lines = new KeyLines(redactor).batch();
    clean(key.map((line, at) => stored(lines, dress(line, at))));
    expect(stored(lines, dress('all is well', 0))).toContain('all is well');
  });

  it.each(['\n', '\r\n', '\\n', '\\\\n', '\\r\\n'])('is known in one text, joined by %j', (end) => {
    const text = `{"key": "${key.join(end)}${end}", "next": 1}`;
    clean([redactor.text(text), stored(new KeyLines(redactor).batch(), text)]);
    expect(redactor.text(text)).toContain('"next": 1');
  });

  it('is known in params and in a list of lines', () => {
    clean([JSON.stringify(redactor.json({ a: { lines: key, text: key.join('\n') } }))]);
  });

  it('is hidden the same way in a retry, however much was remembered', () => {
    const first = new KeyLines(redactor).batch();
    const digests = key.map((line) => parsed(first, { message: line }).digest);
    expect(
      key.map((line) => parsed(new KeyLines(redactor).batch(), { message: line }).digest),
    ).toEqual(digests);
  });
});

describe('lines that are no key', () => {
  const behind = (...before: string[]) => {
    const lines = new KeyLines(redactor).batch();
    for (const line of before) stored(lines, line);
    return (line: string) => stored(lines, line);
  };

  it.each([
    ['expected -----BEGIN RSA PRIVATE KEY-----'],
    ['no line matches -----BEGIN PRIVATE KEY----- in /etc/ssl/x.pem'],
    ['-----BEGIN PRIVATE KEY----- is missing'],
    ['-----BEGIN … PRIVATE KEY-----'],
  ])('are stored behind one that only speaks of a key: %s', (speaks) => {
    const say = behind(speaks);
    for (const line of ['exiting', 'Exit 3', 'the server is up', 'done', 'release20261124', '42']) {
      expect(say(line)).toBe(line);
    }
    expect(redactor.text(`${speaks}\nexiting\nall is well`)).toContain('exiting\nall is well');
  });

  it('are stored where a certificate is printed', () => {
    const lines = [
      '-----BEGIN CERTIFICATE-----',
      ...wrapped(random(300), 64),
      '-----END CERTIFICATE-----',
    ];
    const say = behind();
    expect(lines.map(say)).toEqual(lines);
    expect(redactor.text(lines.join('\n'))).toBe(lines.join('\n'));
  });

  it('are known again where the END never came', () => {
    const say = behind('-----BEGIN PRIVATE KEY-----', random(48));
    expect(say('Connection to web-1 closed.')).toBe('Connection to web-1 closed.');
    expect(say('done')).toBe('done');
  });

  it.each([
    ['4f3a2b1c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a'],
    ['/home/deploy/releases/20261124/app/Source/Main/Resources/Config/Values'],
    ['org/springframework/beans/factory/support/AbstractAutowireCapableBeanFactory'],
    ['K8sDeploymentControllerReconcilerForProductionClusterEuWest1NodeGroup7a'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRST'],
    ['0000000000000000000000000000000000000000000000000000000000000000'],
  ])('are stored though they are as long as one of a key: %s', (line) => {
    expect(redactor.text(line)).toBe(line);
  });
});

describe('a line of a key of which this server does not know the beginning', () => {
  it('is hidden by its look', () => {
    for (let round = 0; round < 200; round++) expect(redactor.text(random(48))).toBe('[redacted]');
    expect(redactor.text(`  ${random(48)}\r`)).not.toMatch(/[\w+/]{30}/);
  });

  it.each([
    ['1+qkwnwewfAC4oOfp2GSM48r3gnlumacknj2q7SH5axvc8WRP5VHALIEWAJAPoDA'],
    ['EIXPNGDvtqj1FptGe4nDJKkTqwdfSQPFyrgqplQeEJOXwOZPdhFMDMeuXJTjogrF'],
    ['Tmbrj4OQOrBONIMeqZLPWegvUOCxIPBT4WPCYhsdI9FnmjyjyxBIjvUETdwEfvUD'],
  ])('also where it looks less random than others: %s', (line) => {
    expect(redactor.text(line)).toBe('[redacted]');
  });
});

describe('what is remembered of keys', () => {
  it('is what it was where a request was not taken, for it comes again', () => {
    const all = new KeyLines(redactor);
    stored(all.batch(), '-----BEGIN PRIVATE KEY-----');
    const refused = all.batch();
    const rest = [random(48), 'x9Yz3A==', '-----END PRIVATE KEY-----', 'in place'];
    rest.map((line) => stored(refused, line));
    refused.undo();
    const again = all.batch();
    expect(rest.map((line) => stored(again, line)).join('\n')).not.toMatch(/x9Yz3A/);
  });

  it('has a bound: of too many streams the one that was quiet for longest is forgotten', () => {
    const all = new KeyLines(redactor).batch();
    for (let host = 0; host <= 4_096; host++) {
      stored(all, '-----BEGIN PRIVATE KEY-----', { host: `h${host}` });
    }
    expect(stored(all, 'x9Yz3A/short', { host: 'h0' })).toBe('x9Yz3A/short');
    expect(stored(all, 'x9Yz3A/short', { host: 'h4096' })).toBe('[redacted]');
    expect(stored(all, random(48), { host: 'h0' })).toBe('[redacted]');
  });

  it('ends with a BEGIN that was printed in two pieces as well', () => {
    const all = new KeyLines(redactor).batch();
    const texts = [
      '-----BEGIN RSA PRIV',
      'ATE KEY-----',
      'x9Yz3A/short',
      '-----END RSA PRIVATE KEY-----',
    ];
    expect(texts.map((text) => stored(all, text)).join('\n')).not.toContain('x9Yz3A');
    expect(stored(all, 'in place')).toBe('in place');
  });

  it.each([
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN X-----',
    '-----END X-----',
    '\\n',
    '\n',
    'END ',
    '-',
    'A',
    ' ',
    '"',
  ])('costs little where a line is nothing but %j', (unit) => {
    const all = new KeyLines(redactor).batch();
    const line = unit.repeat(65_000 / unit.length);
    const begin = cpuMs();
    stored(all, `-----BEGIN PRIVATE KEY-----\n${line.slice(0, 60_000)}`);
    stored(all, line);
    stored(all, `${line.slice(0, 65_000)}END `);
    expect(cpuMs() - begin).toBeLessThan(1_000);
  });
});
