/** What subscriptions share of a batch must not fill the memory when many ask for something else. */
import { type ExecutionResult, GraphQLError } from 'graphql';
import { expect, it } from 'vitest';
import { SharedResults } from '../../src/graphql/operation/shared-results.ts';

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

it('a result that is larger than all that are kept is shared for as long as it is the newest', async () => {
  const shared = new SharedResults();
  let executed = 0;
  const execute = async (): Promise<ExecutionResult> => {
    executed++;
    return { data: { text: 'x'.repeat(10 * LETTERS) } };
  };
  const board = { cursor: '0' };
  const result = await shared.of(board, 'q', execute);
  const text = shared.serialize(result);
  const again = await shared.of(board, 'q', execute);
  expect(shared.serialize(again)).toBe(text);
  expect(executed).toBe(1);
});

it('a result with an error goes to those who wait for it, and not to those who come later', async () => {
  const shared = new SharedResults();
  const results = [
    { data: null, errors: [new GraphQLError('the store is away')] },
    { data: { fine: true } },
  ];
  const execute = async (): Promise<ExecutionResult> => results.shift() as ExecutionResult;
  const batch = { cursor: '0' };
  const [one, other] = [shared.of(batch, 'q', execute), shared.of(batch, 'q', execute)];
  expect((await one).errors).toHaveLength(1);
  expect(await other).toBe(await one);
  expect(await shared.of(batch, 'q', execute)).toEqual({ data: { fine: true } });
});
