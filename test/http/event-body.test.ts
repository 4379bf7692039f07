/** The bytes of an event stream: Yoga's own words, made once for all readers of a result. */
import { once } from 'node:events';
import type { ExecutionResult } from 'graphql';
import { createYoga, getSSEProcessor } from 'graphql-yoga';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EventBody } from '../../src/http/transports/event-body.ts';
import { asText, createEventFrames } from '../../src/http/transports/event-frames.ts';
import { createLog } from '../../src/log.ts';

const frames = createEventFrames((result) => JSON.stringify(result));
const log = createLog('info', { write: (line) => expect.fail(line) });
const refused = (error: unknown): ExecutionResult => ({ errors: [error] as never });

async function* resultsOf(...results: ExecutionResult[]) {
  yield* results;
}

async function textOf(body: EventBody): Promise<string> {
  return Buffer.concat(await body.toArray()).toString();
}

describe('the body of an event stream', () => {
  it('has what Yoga would write, to the byte', async () => {
    const results = [{ data: { message: 'größer\n' } }, { data: null }, { data: { n: 2 } }];
    const { fetchAPI } = createYoga({ logging: false });
    const texts = results.map((result) => asText(JSON.stringify(result)));
    const yogas = await getSSEProcessor()(resultsOf(...texts), fetchAPI, 'text/event-stream');
    const ours = new EventBody(resultsOf(...results), frames, refused, log);
    expect(await textOf(ours)).toBe(await yogas.text());
  });

  it('sends the same bytes to all who read the same result', () => {
    const result = { data: { n: 1 } };
    expect(frames.of(result)).toBe(frames.of(result));
    expect(frames.of({ ...result })).not.toBe(frames.of(result));
  });

  it('tells of a result that cannot be written, and is complete', async () => {
    const frugal = createEventFrames((result) => {
      if (result.errors === undefined) throw new Error('too long a text');
      return '{"errors":["told"]}';
    });
    const body = new EventBody(resultsOf({ data: {} }), frugal, refused, log);
    expect(await textOf(body)).toBe(
      ':\n\nevent: next\ndata: {"errors":["told"]}\n\nevent: complete\ndata:\n\n',
    );
  });

  describe('while nothing happens', () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    it('says something every twelve seconds, waits for one result, and leaves when it is read no more', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const next = vi.fn(() => new Promise<never>(() => {}));
      const left = vi.fn(() => Promise.resolve({ done: true as const, value: undefined }));
      const idle = { next, return: left, [Symbol.asyncIterator]: () => idle };
      const body = new EventBody(idle, frames, refused, log);
      let text = '';
      body.on('data', (chunk: Buffer) => {
        text += String(chunk);
      });
      await vi.waitFor(() => expect(text).toBe(':\n\n'), 10_000);
      vi.advanceTimersByTime(24_000);
      await vi.waitFor(() => expect(text).toBe(':\n\n'.repeat(3)), 10_000);
      expect(next).toHaveBeenCalledTimes(1);
      body.destroy();
      await once(body, 'close');
      expect(left).toHaveBeenCalledTimes(1);
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});
