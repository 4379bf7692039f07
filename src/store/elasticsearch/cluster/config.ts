/** What an operator says about the cluster. */
export interface ElasticsearchConfig {
  /** Addresses of nodes; requests go round them, and past those that are away. */
  urls: string[];
  username?: string;
  password?: string;
  apiKey?: string;
  /** PEM of the authority that signed the cluster's certificate. */
  ca?: string;
  /** Shards of each day's indices. Holds for days to come; those that are there keep theirs. */
  shards: number;
  /** Copies beside the primary. */
  replicas: number;
  /** Every index and template begins with it. Default `shiplog`. */
  prefix?: string;
  /** How soon searches see new events without being told to. Default 1,000. */
  refreshMs?: number;
  /** No call waits longer than this for an answer. Default 10,000. */
  requestTimeoutMs?: number;
  /** An append that could not be settled for so long is given up. Default 15,000. */
  appendTimeoutMs?: number;
  /** A server that was not heard of for so long loses the keeping of views. Default 6,000. */
  leaseMs?: number;
  /**
   * A reader waits no longer for views to show what was acknowledged, as when the keeper of a
   * shard has died: then it is told how far behind they are. Default 5,000.
   */
  readWaitMs?: number;
  /** Stored events that wait in memory for being folded; beyond it they are read again. Default 64 MiB. */
  pendingBytes?: number;
  /** States of runs and tasks that are held in memory for events to come, over all shards. Default 192 MiB. */
  stateBytes?: number;
  /**
   * Farther behind the log than so many events, views are late: appends wait, and readers are told. Default
   * 25,000, a second or two of a flood.
   */
  lagMax?: number;
  /** At the start, how long a cluster that is away is waited for. Default 0: not at all. */
  startWaitMs?: number;
}

export type ResolvedConfig = Required<
  Omit<ElasticsearchConfig, 'username' | 'password' | 'apiKey' | 'ca'>
>;

export function withDefaults(config: ElasticsearchConfig): ResolvedConfig {
  return {
    urls: config.urls,
    shards: config.shards,
    replicas: config.replicas,
    prefix: config.prefix ?? 'shiplog',
    refreshMs: config.refreshMs ?? 1_000,
    requestTimeoutMs: config.requestTimeoutMs ?? 10_000,
    appendTimeoutMs: config.appendTimeoutMs ?? 15_000,
    leaseMs: config.leaseMs ?? 6_000,
    readWaitMs: config.readWaitMs ?? 5_000,
    pendingBytes: config.pendingBytes ?? 64 * 1024 * 1024,
    lagMax: config.lagMax ?? 25_000,
    stateBytes: config.stateBytes ?? 192 * 1024 * 1024,
    startWaitMs: config.startWaitMs ?? 0,
  };
}
