import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf, normaliseFailure, type StepEnd } from '../../src/domain/failure.ts';

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
