/**
 * Names of indices and shards, and which shard a task is in.
 *
 * A day is the UTC day on which a task began; a shard is named `2026-11-24/0`. The shard of a task
 * is computed as Elasticsearch does (Murmur3 of the routing value), for bulk answers do not name it.
 */
export class Names {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  get meta(): string {
    return `${this.prefix}-meta`;
  }
  get hosts(): string {
    return `${this.prefix}-hosts`;
  }
  get allEvents(): string {
    return `${this.prefix}-events-*`;
  }
  get allViews(): string {
    return `${this.prefix}-views-*`;
  }
  events(day: string): string {
    return `${this.prefix}-events-${day}`;
  }
  views(day: string): string {
    return `${this.prefix}-views-${day}`;
  }
  /** null: not an index of events of ours. */
  dayOf(index: string): string | null {
    const start = `${this.prefix}-events-`;
    const day = index.startsWith(start) ? index.slice(start.length) : '';
    return /^-?\d{4,6}-\d\d-\d\d$/.test(day) ? day : null;
  }
}

export const DAY_MS = 86_400_000;

/** The UTC day of a moment, as YYYY-MM-DD. */
export function dayAt(ms: number): string {
  return new Date(ms).toISOString().replace(/T.*/, '').replace('+', '');
}

export function shardName(day: string, shard: number): string {
  return `${day}/${shard}`;
}

export function parseShard(name: string): { day: string; shard: number } | null {
  const match = /^(-?\d{4,6}-\d\d-\d\d)\/(\d{1,4})$/.exec(name);
  return match === null ? null : { day: match[1] as string, shard: Number(match[2]) };
}

/**
 * Searches one shard only. Not `routing`, which a search takes for a list with commas: the id of a
 * task may hold some.
 */
export function shardPreference(name: string): string {
  return `_shards:${name.slice(name.lastIndexOf('/') + 1)}`;
}

/** Which of the shards 0 to `count` - 1 holds documents with this routing. */
export function shardOf(routing: string, count: number): number {
  const hash = murmur3(Buffer.from(routing, 'utf16le'));
  return ((hash % count) + count) % count;
}

/** MurmurHash3, 32 bits, seed 0, as a signed number. */
function murmur3(bytes: Buffer): number {
  let hash = 0;
  const whole = bytes.length - (bytes.length % 4);
  for (let at = 0; at < whole; at += 4) {
    hash ^= scramble(bytes.readInt32LE(at));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let at = bytes.length - 1; at >= whole; at--) rest = (rest << 8) | (bytes[at] as number);
  if (whole < bytes.length) hash ^= scramble(rest);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}
