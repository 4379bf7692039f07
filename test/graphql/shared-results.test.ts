/** What subscriptions share of a batch must not fill the memory when many ask for something else. */
import type { ExecutionResult } from 'graphql';
import { expect, it } from 'vitest';
import { SharedResults } from '../../src/graphql/shared-results.ts';

const LETTERS = 1_024 * 1_024;

it('a result is shared while it is new, and executed again once others have taken its room', async () => {
  const shared = new SharedResults();
  let executed = 0;
  const execute = async (): Promise<ExecutionResult> => {
    executed++;
    return { data: { text: 'x'.repeat(LETTERS) } };
  };
  const first = { cursor: '0' };
  const result = await shared.of(first, 'q', execute);
  shared.serialize(result);
  expect(await shared.of(first, 'q', execute)).toBe(result);
  expect(executed).toBe(1);
  for (let at = 1; at <= 10; at++) {
    shared.serialize(await shared.of({ cursor: String(at) }, 'q', execute));
  }
  expect(executed).toBe(11);
  expect(await shared.of(first, 'q', execute)).not.toBe(result);
  expect(executed).toBe(12);
});
