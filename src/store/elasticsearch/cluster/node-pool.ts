/**
 * Which node is asked. Requests go round the nodes; one that did not answer, or that answers 503
 * (without a master it takes no writes, though its searches go on), is passed over until a probe
 * finds it in a cluster again.
 *
 * The client's own pool only lowers a weight, and any answer raises it again: of three nodes one
 * that hangs makes every third request wait for its whole time limit.
 */
import { BaseConnectionPool } from '@elastic/elasticsearch';
import { guarded } from '../../../guarded.ts';

type Node = BaseConnectionPool['connections'][number];
type Choice = Parameters<BaseConnectionPool['getConnection']>[0];

const PROBE_EVERY_MS = 1_000;
const PROBE_TIMEOUT_MS = 2_000;
/** Answered by the master only: a node that is cut off says 503. */
const PROBE = {
  method: 'GET',
  path: '/_cluster/health',
  querystring: 'filter_path=status&timeout=1s&master_timeout=1s',
};

export class NodePool extends BaseConnectionPool {
  readonly #avoided = new Map<string, NodeJS.Timeout>();
  #turn = 0;

  /** Null where there is no node at all; when all are avoided, they are tried in turn. */
  override getConnection({ filter }: Choice): Node | null {
    const fit = this.connections.filter((node) => filter === undefined || filter(node));
    const well = fit.filter((node) => !this.#avoided.has(node.id));
    const some = well.length > 0 ? well : fit;
    return some[this.#turn++ % some.length] ?? null;
  }

  /** The client says so after a time-out, a broken connection, and 502, 503 and 504. */
  override markDead(node: Node): this {
    if (this.size > 1 && !this.#avoided.has(node.id)) this.#probeLater(node);
    return this;
  }

  /** A search that was answered proves nothing about writes: only a probe ends the avoiding. */
  override markAlive(): this {
    return this;
  }

  override async empty(): Promise<void> {
    for (const timer of this.#avoided.values()) clearTimeout(timer);
    this.#avoided.clear();
    await super.empty();
  }

  #probeLater(node: Node): void {
    // Without a log: the client makes the pool. What a probe finds is told by those who ask next.
    const probe = guarded(null, 'looking at a node', () => this.#probe(node));
    const timer = setTimeout(probe, PROBE_EVERY_MS);
    timer.unref();
    this.#avoided.set(node.id, timer);
  }

  async #probe(node: Node): Promise<void> {
    const context = { requestId: 'probe', name: 'shiplog', context: null };
    let well = false;
    try {
      const answer = await node.request(PROBE, { ...context, timeout: PROBE_TIMEOUT_MS });
      well = answer.statusCode < 500;
    } catch {
      // It stays away, also where the client itself failed at asking.
    }
    // Closed meanwhile.
    if (!this.#avoided.has(node.id)) return;
    if (well) this.#avoided.delete(node.id);
    else this.#probeLater(node);
  }
}
