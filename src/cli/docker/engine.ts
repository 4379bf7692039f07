/** The API of a Docker engine, or of podman's, over its socket: what following logs needs of it. */
import { type IncomingMessage, request } from 'node:http';
import { CliError, EXIT, messageOf } from '../exit.ts';

export interface Container {
  id: string;
  name: string;
  image: string;
  labels: Record<string, string>;
  tty: boolean;
  running: boolean;
}

/** The engine answered, with something else than 200. */
export class EngineError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What the engine says of itself is small; lists have some KB for each container. */
const MAX_ANSWER_BYTES = 64 * 1_024 * 1_024;
const MAX_EVENT_BYTES = 1_024 * 1_024;
const ANSWER_MS = 30_000;

type Json = Record<string, unknown>;

export class Engine {
  readonly #socket: string;
  readonly #prefix: string;

  private constructor(socket: string, prefix: string) {
    this.#socket = socket;
    this.#prefix = prefix;
  }

  /** Asks for its version first: an engine refuses older and newer ones than it knows. */
  static async open(socket: string): Promise<Engine> {
    try {
      const answer = await get(socket, '/_ping', AbortSignal.timeout(ANSWER_MS));
      await textOf(answer);
      const version = answer.headers['api-version'];
      const known = typeof version === 'string' && /^\d+\.\d+$/.test(version);
      return new Engine(socket, known ? `/v${version}` : '');
    } catch (error) {
      throw new CliError(`no engine at ${socket}: ${messageOf(error)}`, EXIT.unreachable);
    }
  }

  /** Ids of all, also of those that ended; `labels`: those alone that have all of these. */
  async containers(labels: readonly string[]): Promise<string[]> {
    const filters =
      labels.length === 0
        ? ''
        : `&filters=${encodeURIComponent(JSON.stringify({ label: labels }))}`;
    const list = (await this.#json(`/containers/json?all=1${filters}`)) as Json[];
    return list.map(({ Id }) => String(Id));
  }

  /** null: it is gone. */
  async inspect(id: string): Promise<Container | null> {
    try {
      const found = (await this.#json(`/containers/${encodeURIComponent(id)}/json`)) as Json;
      const config = (found.Config ?? {}) as Json;
      return {
        id: String(found.Id),
        name: String(found.Name ?? id).replace(/^\//, ''),
        image: String(config.Image ?? ''),
        labels: (config.Labels ?? {}) as Record<string, string>,
        tty: config.Tty === true,
        running: ((found.State ?? {}) as Json).Running === true,
      };
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return null;
      throw error;
    }
  }

  /** `since`: whole seconds, included. Throws EngineError. */
  logs(
    id: string,
    { since, follow, signal }: { since: number; follow: boolean; signal: AbortSignal },
  ): Promise<IncomingMessage> {
    const query = `follow=${follow ? 1 : 0}&timestamps=1&stdout=1&stderr=1&since=${since}`;
    return get(
      this.#socket,
      `${this.#prefix}/containers/${encodeURIComponent(id)}/logs?${query}`,
      signal,
    );
  }

  /** Ids of containers that start, from `since` (whole seconds) on. Ends when the engine does. */
  async *starts(
    since: number,
    labels: readonly string[],
    signal: AbortSignal,
  ): AsyncGenerator<string, void, undefined> {
    const filters = JSON.stringify({
      type: ['container'],
      event: ['start'],
      ...(labels.length === 0 ? {} : { label: labels }),
    });
    const path = `/events?since=${since}&filters=${encodeURIComponent(filters)}`;
    const answer = await get(this.#socket, this.#prefix + path, signal);
    let rest = '';
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() as string;
      if (rest.length > MAX_EVENT_BYTES) throw new Error('the engine sent an event without end');
      for (const line of lines) {
        const event = line.trim() === '' ? null : (JSON.parse(line) as Json);
        if (typeof event?.id === 'string') yield event.id;
      }
    }
  }

  async #json(path: string): Promise<unknown> {
    const answer = await get(this.#socket, this.#prefix + path, AbortSignal.timeout(ANSWER_MS));
    return JSON.parse(await textOf(answer)) as unknown;
  }
}

function get(socketPath: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'docker', 'user-agent': 'shiplog' };
    const asked = request({ socketPath, path, headers, signal, agent: false }, (answer) => {
      if (answer.statusCode === 200) resolve(answer);
      else textOf(answer).then((text) => reject(refusal(answer, text)), reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

function refusal({ statusCode = 0 }: IncomingMessage, text: string): EngineError {
  let message = text;
  try {
    message = String((JSON.parse(text) as Json).message ?? text);
  } catch {
    // Its words are no JSON: shown as they are.
  }
  return new EngineError(statusCode, message.slice(0, 500));
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('the engine sent an answer without end');
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}
