/**
 * What GraphQL Yoga writes into an event stream, as bytes: Yoga's own words for the beginning, a
 * result and the end. It would make them anew for every reader; here each result is put into words
 * once, for all who read it.
 */
import type { ExecutionResult } from 'graphql';
import { type FetchAPI, getSSEProcessor } from 'graphql-yoga';
import { EVENT_STREAM } from './answer.ts';

export interface EventFrames {
  /** Begins a stream, and is said again where nothing else is for a while. */
  readonly comment: Buffer;
  readonly end: Buffer;
  /** The same bytes for the same result. */
  of(result: ExecutionResult): Buffer;
}

/** `text` is a result as JSON. */
export function createEventFrames(text: (result: ExecutionResult) => string): EventFrames {
  const frames = new WeakMap<ExecutionResult, Buffer>();
  const [comment, , end] = written('{}');
  return {
    comment: Buffer.from(comment),
    end: Buffer.from(end),
    of(result) {
      let frame = frames.get(result);
      if (frame === undefined) {
        frame = Buffer.from(written(text(result))[1]);
        frames.set(result, frame);
      }
      return frame;
    },
  };
}

/** A result that Yoga writes as this text. */
export function asText(text: string): ExecutionResult {
  return { stringify: () => text } as ExecutionResult;
}

interface Source {
  start(controller: object): void;
  pull(controller: object): void;
}

/** A stream of one result: Yoga says how it begins, the event, and how it ends. */
function written(text: string): [string, string, string] {
  const pieces: string[] = [];
  class Recorder {
    constructor({ start, pull }: Source) {
      for (const step of [start, pull, pull]) {
        let piece = '';
        const enqueue = (more: string): void => {
          piece += more;
        };
        step({ enqueue, close: () => {}, desiredSize: 1 });
        pieces.push(piece);
      }
    }
  }
  const recording = { Response, ReadableStream: Recorder, TextEncoder: AsItIs };
  void getSSEProcessor()(asText(text), recording as unknown as FetchAPI, EVENT_STREAM);
  return pieces as [string, string, string];
}

class AsItIs {
  encode(text: string): string {
    return text;
  }
}
