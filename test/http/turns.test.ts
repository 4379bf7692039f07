/** A body of very many small things, most of them wrong: others have their turn while it is read. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MAX_ACTIONS } from '../../src/http/endpoints/elasticsearch/bulk-intake.ts';
import { cpuMs } from '../support/cpu-ms.ts';
import { type HttpFixture, startHttpFixture } from './support.ts';

const BYTES = 512 * 1_024;

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture();
});
afterAll(() => shiplog.close());

const repeated = (text: string) => text.repeat(BYTES / text.length);

function post(path: string, body: string, type = 'application/x-ndjson'): Promise<Response> {
  return fetch(shiplog.url + path, { method: 'POST', headers: { 'content-type': type }, body });
}

/** What this thread computed in all, and at most in one turn of the event loop. */
async function turnsOf(work: () => Promise<unknown>): Promise<{ all: number; longest: number }> {
  const began = cpuMs();
  let last = began;
  let longest = 0;
  const look = (): void => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const looking = setInterval(look, 1);
  await work();
  look();
  clearInterval(looking);
  return { all: last - began, longest };
}

it.each([
  ['events without content for Splunk’s collector', '/services/collector/event', '{}'],
  ['actions of Elasticsearch that are not taken', '/es/_bulk', '{"delete":{"_id":"1"}}\n'],
])('%s hold nobody up', async (_, path, text) => {
  const body = repeated(text);
  const { all, longest } = await turnsOf(async () => (await post(path, body)).arrayBuffer());
  expect(longest).toBeLessThan(all / 2);
});

it('a _bulk of more items than an answer can hold is refused whole, as one that is too large', async () => {
  const answer = await post('/es/_bulk', '{"delete":{}}\n'.repeat(MAX_ACTIONS + 1));
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({
    error: { reason: expect.stringContaining('items') },
  });
});
