import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf, normaliseFailure, type StepEnd } from '../../src/domain/failure/failure.ts';
import { cpuMs } from '../support/cpu-ms.ts';

const END: StepEnd = { status: 'FAILED', message: null, error: null, exitCode: null, host: null };
const fingerprint = (message: string, host: string | null = null) =>
  failureOf({ ...END, message, host })?.fingerprint;

describe('a failure', () => {
  it.each([
    [{ error: { code: 'E1', message: 'gone' }, message: 'm', exitCode: 1 }, 'E1: gone'],
    [{ error: { code: null, message: 'gone' }, message: 'm' }, 'gone'],
    [{ error: { code: 'E1', message: ' ' } }, 'E1'],
    [{ message: 'm', exitCode: 1 }, 'm'],
    [{ exitCode: 137 }, 'exit code 137'],
    [{}, 'failed'],
    [{ status: 'TIMED_OUT' }, 'timed out'],
  ])('%j says %j', (end, expected) => {
    expect(failureOf({ ...END, ...end })?.text).toBe(expected);
  });

  it('is only where a step failed or timed out', () => {
    for (const status of ['SUCCEEDED', 'CANCELLED', 'RUNNING', 'SKIPPED']) {
      expect(failureOf({ ...END, status, message: 'm' })).toBeNull();
    }
    expect(fingerprint('m')).toMatch(/^[\da-f]{16}$/);
  });

  it.each([
    ['connect to 10.0.0.7:443 refused after 2.5s', 'connect to <ip> refused after <time>'],
    ['GET /x HTTP 503 at 2026-11-24T03:04:05.123Z', 'GET /x HTTP 503 at <time>'],
    ['\u001b[31mbad\u001b[0m   sum\n deadbeef12', 'bad sum <hex>'],
    ['id 0198c0de-1111-7222-8333-444455556666', 'id <uuid>'],
    ["open '/tmp/tmp.Xy12': no space", "open '/tmp/<n>': no space"],
    ['releases/20261124/app-17', 'releases/<n>/app-<n>'],
    ['std::vector at [fe80::1]:80', 'std::vector at <ip>'],
    ['exit code 137, 42 of 1,000 left', 'exit code 137, <n> of <n> left'],
    ['TS2304: no name', 'TS2304: no name'],
    ['feed the cafe', 'feed the cafe'],
  ])('%j is of the group %j', (text, expected) => {
    expect(normaliseFailure(text)).toBe(expected);
  });

  const apart = (pattern: string, ...numbers: (number | string)[]) =>
    numbers.map((number) => pattern.replace('#', String(number)));

  it.each([
    apart('curl: (22) The requested URL returned error: #', 404, 503),
    apart('curl: (#) it went wrong', 6, 7, 22),
    apart('GET http://x/health -> #', 404, 503),
    apart('"GET /x HTTP/1.1" # 123', 404, 503),
    apart('POST /v1/deploy #', 401, 502),
    apart('HTTP/2 #', 200, 429, 500),
    apart('HTTP Error #: Not what was asked for', 404, 410),
    apart('# Server Error: x for url: http://x', 500, 503),
    apart('# page not found', 404, 410),
    apart('not there (#)', 404, 410),
    apart('health check: #', 404, 503),
    apart('the backend responds with #', 404, 503),
    apart('nginx: #', 502, 504),
    apart('Failed to fetch https://x/a.tgz: #', 404, 503),
    apart('rejected with #', 403, 500),
    apart('expected status 200 but was #', 404, 503),
    apart('the script ended with #', 3, 4),
    apart('WinError #', 5, 32),
    apart('upstream answered with #', 502, 504),
    apart('expected 200 but received # from upstream', 403, 500),
    apart('status #', 500, 501),
    apart('unexpected status code: #', 401, 403),
    apart('{"status_code": #}', 401, 403),
    apart('statusCode=#', 401, 403),
    apart('rc=#', 1, 137),
    apart('{"rc": #, "msg": "x"}', 1, 2),
    apart('the script returned #', 1, 22),
    apart('exited with #', 1, 137),
    apart('Exited (#) 2 minutes ago', 1, 137),
    apart('exit status #: gone', 1, 255),
    apart('failed (code #)', 3, 4),
    apart('exit code #', 1, 3221225477),
    apart('Main process exited, code=exited, status=#/EXEC', 203, 217),
    apart('make: *** [all] Error #', 1, 2),
    apart('killed by signal #', 9, 11),
    apart('[Errno #] it failed', 111, 113),
    apart('it failed (os error #)', 2, 13),
    apart('errno: -#', 2, 4078),
    apart('ERROR # (28000): denied', 1044, 1045),
    apart('ORA-#: no', '00942', '00943'),
    apart('error #', '0x80070005', '0x80070057'),
    apart('listen tcp 0.0.0.0:#: bind: address already in use', 80, 8080),
    apart('Error: listen EADDRINUSE: address already in use :::#', 80, 8080),
    apart('the sum of # is wrong', 'sha256', 'sha512'),
    apart('GET /api/# gave up', 'v1', 'v2'),
  ])('with another status, code or signal is another failure: %j', (...texts) => {
    expect(new Set(texts.map((text) => fingerprint(text))).size).toBe(texts.length);
  });

  it.each([
    ['no answer from 10.0.0.7:8081 after 31 s', 'no answer from 10.0.0.9:8082 after 30 s'],
    ['dial tcp 127.0.0.1:45477: refused', 'dial tcp 127.0.0.1:51234: refused'],
    ['gave up after 1 second', 'gave up after 42 seconds'],
    ['gave up after 1m2s', 'gave up after 500ms'],
    ['returned 22 rows, got 3 of 7', 'returned 5 rows, got 4 of 7'],
    ['error: 3 files are missing', 'error: 12 files are missing'],
    ['attempt 3 of 5 failed', 'attempt 4 of 5 failed'],
    ['Nov 24 03:04:05 it broke', 'Dec  1 11:12:13 it broke'],
    ['Tue, 24 Nov 2026 03:04:05 GMT late', 'Wed, 2 Dec 2026 13:04:05 GMT late'],
    ['pod shop-7d9f8b6c5-x2x4z is gone', 'pod shop-6f5b9c7d8b-q7kzp is gone'],
    ['pod shop-x2x4z is gone', 'pod shop-k7q9p is gone'],
    ['job backup-28123456-x2x4z failed', 'job backup-28123999-zz9pl failed'],
    ['container 4f3a2b1c9d8e is gone', 'container aa3a2b1c9d8f is gone'],
    ['no commit 4f3a2b1', 'no commit 9c8b7a6'],
    ['request 01ARZ3NDEKTSV4RRFFQ69G5FAV failed', 'request 01BX5ZZKBKACTAV9WEVGEMMVS0 failed'],
    ['no /tmp/go-build123/b001', 'no /tmp/go-build987/b001'],
    ['no /var/folders/zz/abc/T/x.1', 'no /var/folders/aa/xyz/T/x.2'],
    ['process 4242 died at /srv/app.js:12:34', 'process 77 died at /srv/app.js:99:1'],
    ['Request ID: 4KJ2H5G6F7D8S9A0', 'Request ID: 9QJ2H5G6F7D8S0B1'],
    ['open 0x7fff1234abcd', 'open 0x7ffe9999aaaa'],
  ])('that was made anew is the same failure: %j and %j', (one, other) => {
    expect(fingerprint(one)).toBe(fingerprint(other));
  });

  it.each([
    ['listen tcp 10.0.0.7:8080: bind: in use', 'listen tcp <ip>:8080: bind: in use'],
    ['has sha256 deadbeef12', 'has sha256 <hex>'],
    ['shop-7d9f8b6c5-x2x4z: x86_64 only', 'shop-<id>: x86_64 only'],
  ])('%j stays readable as %j', (text, expected) => {
    expect(normaliseFailure(text)).toBe(expected);
  });

  it('is the same for both names of a host', () => {
    expect(fingerprint('web-1: no', 'web-1.example.net')).toBe(
      fingerprint('web-2.example.net: no', 'web-2.example.net'),
    );
  });

  it('is the same on another host, at another time, with other numbers', () => {
    expect(fingerprint('web-1: dial 10.0.0.1 timed out in 30s', 'web-1')).toBe(
      fingerprint('web-22: dial 10.9.0.1 timed out in 1m2s', 'web-22'),
    );
    expect(normaliseFailure('a cat on a', 'a')).toBe('<host> cat on <host>');
    expect(fingerprint('disk full')).not.toBe(fingerprint('disk gone'));
    expect(failureOf({ ...END, exitCode: 1 })).not.toEqual(failureOf({ ...END, exitCode: 2 }));
  });

  it('with another code is another failure', () => {
    const of = (code: string) => failureOf({ ...END, error: { code, message: 'no 7' } });
    expect(of('ORA-00942')?.fingerprint).not.toBe(of('ORA-00943')?.fingerprint);
    expect(normaliseFailure('ORA-00942: no 7', null, 'ORA-00942')).toBe('ORA-00942: no <n>');
  });

  it('is told fast, whatever the message is', () => {
    const units = [
      'A1',
      '1.',
      'a1',
      ':1',
      '::',
      '-x2',
      'code ',
      'GET /',
      '\u001b[',
      'Nov 1 ',
      '/tmp/',
      '0x',
    ];
    for (const unit of units) {
      const message = unit.repeat(32_768);
      const begin = cpuMs();
      failureOf({ ...END, message, host: 'a' });
      expect(cpuMs() - begin).toBeLessThan(250);
    }
  });

  it('has a bounded, whole text of any message', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1_200 }), (message) => {
        const failure = failureOf({ ...END, message, host: 'a' });
        expect(failure?.text.length).toBeLessThanOrEqual(1_000);
        expect(failure?.text.isWellFormed()).toBe(true);
        expect(failureOf({ ...END, message, host: 'a' })).toEqual(failure);
      }),
    );
  });
});
