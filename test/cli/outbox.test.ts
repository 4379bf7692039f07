import { describe, expect, it } from 'vitest';
import type { StepEventInput } from '../../src/cli/gen/graphql.ts';
import { Outbox } from '../../src/cli/run/outbox.ts';

function event(sequence: number, said: Partial<StepEventInput>): StepEventInput {
  return { taskId: 't', host: 'h', step: 's', sequence, ...said };
}
const ALL = Number.POSITIVE_INFINITY;

describe('what waits for a server that is away', () => {
  it('is handed on in order, in batches bounded by number and bytes', () => {
    const outbox = new Outbox();
    for (let i = 1; i <= 10; i++) outbox.add(event(i, { message: 'x'.repeat(1_000) }));
    expect(outbox.take(3, ALL).map((e) => e.sequence)).toEqual([1, 2, 3]);
    expect(outbox.take(100, 3_000).map((e) => e.sequence)).toEqual([4, 5]);
    expect(outbox.take(100, 1).map((e) => e.sequence)).toEqual([6]);
    expect(outbox.size).toBe(4);
  });

  it('loses the oldest lines first, says so in their place, and never loses a status', () => {
    const outbox = new Outbox(100);
    outbox.add(event(1, { status: 'RUNNING' }));
    for (let i = 2; i <= 1_000; i++) outbox.add(event(i, { message: `line ${i}` }));
    outbox.add(event(1_001, { status: 'SUCCEEDED' }));

    const left = outbox.take(ALL, ALL);
    expect(left.length).toBeLessThanOrEqual(100);
    expect(left[0]).toMatchObject({ sequence: 1, status: 'RUNNING' });
    expect(left[1]).toMatchObject({ sequence: 2, level: 'WARN' });
    expect(left[1]?.message).toContain(`${outbox.dropped} lines of output were dropped`);
    expect(left.slice(2).map((e) => e.sequence)).toEqual(
      Array.from({ length: left.length - 2 }, (_, i) => 1_001 - (left.length - 3) + i),
    );
    expect(left.at(-1)).toMatchObject({ status: 'SUCCEEDED' });
    // Two statuses, one notice, and every line either here or counted.
    expect(left.length - 3 + outbox.dropped).toBe(999);
  });

  it('is bounded in bytes too', () => {
    const outbox = new Outbox(10_000, 100_000);
    for (let i = 1; i <= 1_000; i++) outbox.add(event(i, { message: 'x'.repeat(5_000) }));
    const left = outbox.take(ALL, ALL);
    expect(JSON.stringify(left).length).toBeLessThan(110_000);
    expect(left.at(-1)?.sequence).toBe(1_000);
  });
});
