/**
 * Three nodes that form a cluster. The last of them is reached by the others through a proxy that
 * a test can cut: then it is alone, without a master, while its HTTP port goes on answering.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts, TestNode } from './node.ts';

/** A TCP proxy whose connections can be cut and refused, then allowed again. */
export class CuttableProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;

  constructor(port: number, target: number) {
    this.#server = createServer((from) => {
      if (this.#cut) {
        from.destroy();
        return;
      }
      const to = connect(target, '127.0.0.1');
      for (const [socket, other] of [
        [from, to],
        [to, from],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
      from.pipe(to).pipe(from);
    });
    this.#server.listen(port, '127.0.0.1');
  }

  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#cut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

export interface TestCluster {
  nodes: TestNode[];
  urls: string[];
  /** Between the last node and the others, in both directions. */
  proxy: CuttableProxy;
  [Symbol.asyncDispose](): Promise<void>;
}

const COUNT = 3;

/** A cluster of three, all of them in it. Nodes that fall out are noticed within two seconds. */
export async function startCluster(): Promise<TestCluster> {
  const ports = await freePorts(COUNT * 2 + 1);
  const http = ports.slice(0, COUNT);
  const transport = ports.slice(COUNT, COUNT * 2);
  const published = transport.slice();
  published[COUNT - 1] = ports[COUNT * 2] as number;
  const proxy = new CuttableProxy(published[COUNT - 1] as number, transport[COUNT - 1] as number);
  const nodes = http.map(
    (httpPort, i) =>
      new TestNode({
        name: `n${i + 1}`,
        heapMb: 400,
        optimise: false,
        javaFlags: [],
        httpPort,
        transportPort: transport[i] as number,
        settings: {
          'transport.publish_port': String(published[i]),
          'discovery.seed_hosts': published.map((port) => `127.0.0.1:${port}`).join(','),
          'cluster.initial_master_nodes': 'n1,n2,n3',
          'cluster.fault_detection.follower_check.interval': '500ms',
          'cluster.fault_detection.follower_check.timeout': '1s',
          'cluster.fault_detection.follower_check.retry_count': '2',
          'cluster.fault_detection.leader_check.interval': '500ms',
          'cluster.fault_detection.leader_check.timeout': '1s',
          'cluster.fault_detection.leader_check.retry_count': '2',
        },
      }),
  );
  const cluster: TestCluster = {
    nodes,
    urls: nodes.map((node) => node.url),
    proxy,
    async [Symbol.asyncDispose]() {
      proxy.close();
      await Promise.all(nodes.map((node) => node.dispose()));
    },
  };
  try {
    await Promise.all(nodes.map((node) => node.launch()));
    await Promise.all(nodes.map((node) => node.ready()));
    await joined(nodes[0] as TestNode, COUNT);
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return cluster;
}

/** Resolves when the node sees this many nodes in its cluster. */
export async function joined(node: TestNode, count: number): Promise<void> {
  const answer = await fetch(
    `${node.url}/_cluster/health?wait_for_nodes=${count}&wait_for_no_relocating_shards=true&timeout=60s`,
  );
  if (!answer.ok) throw new Error(`no cluster of ${count} nodes:\n${node.log()}`);
}

/** Resolves when every copy of every shard is in sync: then any one node may be lost. */
export async function green(node: TestNode): Promise<void> {
  const answer = await fetch(`${node.url}/_cluster/health?wait_for_status=green&timeout=120s`);
  const { timed_out } = (await answer.json()) as { timed_out: boolean };
  if (timed_out) throw new Error(`not green:\n${await shards(node)}\n${node.log()}`);
}

/** Which copy is where, for the message of a failed test. */
export async function shards(node: TestNode): Promise<string> {
  const answer = await fetch(`${node.url}/_cat/shards?v&h=index,shard,prirep,state,node`);
  return answer.text();
}
