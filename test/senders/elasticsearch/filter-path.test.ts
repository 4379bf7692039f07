import { describe, expect, it } from 'vitest';
import { filterPath } from '../../../src/senders/elasticsearch/filter-path.ts';
import { cpuMs } from '../../support/cpu-ms.ts';

const REPLY = {
  took: 1,
  errors: true,
  items: [
    { create: { _index: 'i', status: 201 } },
    { index: { _index: 'i', status: 400, error: { type: 't', reason: 'r' } } },
  ],
};

describe('filter_path', () => {
  it.each<[string, unknown]>([
    ['', REPLY],
    ['took', { took: 1 }],
    [
      'errors,items.*.error',
      { errors: true, items: [{ index: { error: { type: 't', reason: 'r' } } }] },
    ],
    ['items.*.status', { items: [{ create: { status: 201 } }, { index: { status: 400 } }] }],
    ['**.reason', { items: [{ index: { error: { reason: 'r' } } }] }],
    ['i*s.c*.stat*', { items: [{ create: { status: 201 } }] }],
    ['nothing.of.this', {}],
    ['-items', REPLY],
    [' took , errors ', { took: 1, errors: true }],
  ])('%j', (text, expected) => {
    expect(filterPath(REPLY, text)).toEqual(expected);
  });

  it('takes its time of a request, not of all, whatever is asked for', () => {
    const items = Array.from({ length: 10_000 }, () => REPLY.items[1]);
    const pattern = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? '**' : '*')).join('.');
    const text = Array.from({ length: 50 }, (_, i) => `${pattern}${i}`).join(',');
    const startedAt = cpuMs();
    expect(filterPath({ items }, text)).toEqual({});
    expect(cpuMs() - startedAt).toBeLessThan(1_000);
  });
});
