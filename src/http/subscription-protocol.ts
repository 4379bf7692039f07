/**
 * One websocket that speaks `graphql-transport-ws`: queries, mutations and subscriptions side by
 * side. Written here and not taken from graphql-ws, whose server waits for an idle iterator before
 * it tells that a client has gone, and which cannot send text that others share; its client is
 * what the tests hold this to. Every code of a close is that protocol's.
 */
import { ShiplogError } from '../domain/errors.ts';
import { type Auth, bearerToken, type Principal } from './auth.ts';
import {
  type OperationErrors,
  type OperationRequest,
  type OperationResult,
  type OperationStream,
  type Operations,
  readOperation,
} from './operations.ts';
import { nextFrame } from './text-frame.ts';

/** What the protocol needs of a socket. */
export interface ProtocolSocket {
  /** Resolves when the text has left this process, or the socket has gone. */
  send(text: string): Promise<void>;
  /** The same for a whole frame. */
  sendFrame(frame: Buffer): Promise<void>;
  close(code: number, reason: string): void;
}

export interface ProtocolOptions {
  operations: Operations;
  auth: Auth;
  /** Of the upgrade request: used where `connection_init` carries none. */
  authorization: string | undefined;
  /** +1 and −1 as subscriptions begin and end. */
  countSubscriptions: (change: 1 | -1) => void;
}

const INIT_TIMEOUT_MS = 3_000;
/** Operations of one socket at a time. */
export const MAX_OPERATIONS = 50;
const MAX_ID_LENGTH = 128;

interface Active {
  kind: 'pending' | 'single' | 'subscription';
  stream: OperationStream | null;
  /** Gives up what is being executed; a mutation runs to its end all the same. */
  gone: AbortController;
}

export class SubscriptionProtocol {
  readonly #socket: ProtocolSocket;
  readonly #options: ProtocolOptions;
  readonly #active = new Map<string, Active>();
  /** With those that were completed by the client and still run. */
  #running = 0;
  #principal: Principal | null = null;
  #initialised = false;
  #closed = false;
  #draining = false;
  #initTimer: NodeJS.Timeout | null;
  #stopExpiry: () => void = () => {};

  constructor(socket: ProtocolSocket, options: ProtocolOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#initTimer = setTimeout(() => {
      this.#end(4408, 'Connection initialisation timeout');
    }, INIT_TIMEOUT_MS);
  }

  /** Never rejects. */
  async receive(data: string): Promise<void> {
    if (this.#closed) return;
    const message = parseMessage(data);
    switch (message?.type) {
      case 'connection_init':
        return this.#init(message);
      case 'ping':
        return this.#pong(message);
      case 'pong':
        return;
      case 'subscribe':
        return this.#subscribe(message);
      case 'complete':
        if (typeof message.id === 'string') this.#drop(message.id);
        return;
      default:
        this.#end(4400, 'Invalid message received');
    }
  }

  /** Ends with 4403 where the token has expired, or was revoked or changed meanwhile. */
  checkStanding(): void {
    if (this.#principal === null || this.#closed) return;
    const standing = this.#options.auth.standing(this.#principal);
    if (standing !== 'ok') this.#end(4403, `The token is ${standing}`);
  }

  /**
   * Ends subscriptions (their readers hold the cursor), answers what is being executed, then
   * closes with 1012, upon which clients connect again.
   */
  drain(): void {
    if (this.#closed || this.#draining) return;
    this.#draining = true;
    for (const [id, { kind }] of this.#active) if (kind === 'subscription') this.#drop(id);
    this.#closeWhenDrained();
  }

  /** The socket has gone: nothing stays behind. */
  closed(): void {
    this.#closed = true;
    if (this.#initTimer !== null) clearTimeout(this.#initTimer);
    this.#stopExpiry();
    for (const id of [...this.#active.keys()]) this.#drop(id);
  }

  #closeWhenDrained(): void {
    if (this.#draining && this.#active.size === 0) this.#end(1012, 'Service restart');
  }

  #end(code: number, reason: string): void {
    if (this.#closed) return;
    this.closed();
    this.#socket.close(code, reason);
  }

  async #send(message: object): Promise<void> {
    if (!this.#closed) await this.#socket.send(JSON.stringify(message));
  }

  async #pong(message: Message): Promise<void> {
    let text: string;
    try {
      text = JSON.stringify({
        type: 'pong',
        ...('payload' in message && { payload: message.payload }),
      });
    } catch {
      // Nested deeper than the stack: it could be read but not be written.
      return this.#end(4400, 'Invalid message received');
    }
    if (!this.#closed) await this.#socket.send(text);
  }

  async #init(message: Message): Promise<void> {
    if (this.#initialised) return this.#end(4429, 'Too many initialisation requests');
    this.#initialised = true;
    if (this.#initTimer !== null) clearTimeout(this.#initTimer);
    const { auth, authorization } = this.#options;
    const token = tokenOf(message.payload) ?? bearerToken(authorization);
    const found = auth.judge(token);
    if ('error' in found) {
      // A client asks anew for a token after 4403; 4401 is final to it.
      return this.#end(found.failure === 'expired' ? 4403 : 4401, found.error.message);
    }
    this.#principal = found;
    this.#stopExpiry = auth.onExpiry(found, () => this.checkStanding());
    await this.#send({ type: 'connection_ack' });
  }

  async #subscribe({ id, payload }: Message): Promise<void> {
    const principal = this.#principal;
    if (principal === null) return this.#end(4401, 'Unauthorized');
    this.checkStanding();
    if (this.#closed) return;
    if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH) {
      return this.#end(4400, 'Invalid message received');
    }
    if (this.#active.has(id)) return this.#end(4409, `Subscriber for ${id} already exists`);
    const { operations } = this.#options;
    let request: OperationRequest;
    try {
      if (this.#draining) throw new ShiplogError('SHUTTING_DOWN', 'The server is stopping');
      if (this.#running >= MAX_OPERATIONS) {
        throw new ShiplogError(
          'OVERLOADED',
          `This websocket has ${MAX_OPERATIONS} operations already, the most that one may have`,
          { retryAfterMs: 1000 },
        );
      }
      request = readOperation(payload);
    } catch (error) {
      return this.#send({ type: 'error', id, payload: operations.errorsOf(error).errors });
    }
    const active: Active = { kind: 'pending', stream: null, gone: new AbortController() };
    this.#active.set(id, active);
    this.#running++;
    try {
      await this.#run(id, active, request, principal);
    } catch (error) {
      if (this.#active.get(id) === active) {
        await this.#send({ type: 'error', id, payload: operations.errorsOf(error).errors });
      }
    } finally {
      this.#running--;
      if (this.#active.get(id) === active) this.#drop(id);
    }
  }

  async #run(
    id: string,
    active: Active,
    request: OperationRequest,
    principal: Principal,
  ): Promise<void> {
    const { operations, countSubscriptions } = this.#options;
    const prepared = operations.prepare(request);
    if ('errors' in prepared) return this.#refuse(id, prepared);
    if (prepared.kind !== 'subscription') {
      active.kind = 'single';
      await this.#deliver(id, active, await prepared.run(principal, active.gone.signal));
      return this.#complete(id, active);
    }
    active.kind = 'subscription';
    countSubscriptions(1);
    const stream = await prepared.subscribe(principal);
    if ('errors' in stream) {
      if (this.#active.get(id) === active) await this.#refuse(id, stream);
      return;
    }
    active.stream = stream;
    if (this.#active.get(id) !== active) return stop(stream);
    while (this.#active.get(id) === active) {
      const result = await stream.next();
      if (result === null) return this.#complete(id, active);
      if (!result.hasData) {
        if (this.#active.get(id) === active) await this.#refuse(id, result);
        return;
      }
      await this.#deliver(id, active, result);
    }
  }

  #refuse(id: string, { errors }: OperationErrors): Promise<void> {
    return this.#send({ type: 'error', id, payload: errors });
  }

  async #deliver(id: string, active: Active, result: OperationResult): Promise<void> {
    if (this.#active.get(id) !== active || this.#closed) return;
    await this.#socket.sendFrame(nextFrame(id, result.bytes()));
  }

  async #complete(id: string, active: Active): Promise<void> {
    if (this.#active.get(id) === active) await this.#send({ type: 'complete', id });
  }

  #drop(id: string): void {
    const active = this.#active.get(id);
    if (active === undefined) return;
    this.#active.delete(id);
    if (active.kind === 'subscription') this.#options.countSubscriptions(-1);
    if (active.stream !== null) stop(active.stream);
    active.gone.abort();
    this.#closeWhenDrained();
  }
}

/** Not awaited: an iterator that is slow to end holds up nobody. */
function stop(stream: OperationStream): void {
  stream.return().catch(() => {});
}

interface Message {
  type: string;
  id?: unknown;
  payload?: unknown;
}

function parseMessage(data: string): Message | null {
  try {
    const message = JSON.parse(data) as Message | null;
    return typeof message === 'object' && message !== null && typeof message.type === 'string'
      ? message
      : null;
  } catch {
    return null;
  }
}

/** `{token}` or `{Authorization: "Bearer …"}`, in any case of letters. */
function tokenOf(payload: unknown): string | null {
  if (typeof payload !== 'object' || payload === null) return null;
  for (const [name, value] of Object.entries(payload)) {
    if (typeof value !== 'string') continue;
    if (name.toLowerCase() === 'token') return value;
    if (name.toLowerCase() === 'authorization') return bearerToken(value) ?? value;
  }
  return null;
}
