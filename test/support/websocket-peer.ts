import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A bare socket that queues what it is sent. */
export class Peer {
  readonly socket: WebSocket;
  readonly #messages: Record<string, unknown>[] = [];
  #wake: () => void = () => {};
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor({ url }: { url: string }, protocol = 'graphql-transport-ws', headers = {}) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocol, {
      headers,
    });
    this.socket.on('message', (data) => {
      this.#messages.push(JSON.parse(String(data)) as Record<string, unknown>);
      this.#wake();
    });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  async open(payload?: unknown): Promise<this> {
    await once(this.socket, 'open');
    this.send({ type: 'connection_init', payload });
    const answer = await this.next();
    if (answer.type !== 'connection_ack') throw new Error(JSON.stringify(answer));
    return this;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables: Record<string, unknown> = {}): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } });
  }

  async next(): Promise<Record<string, unknown>> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
