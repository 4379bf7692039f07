/** Where every shard stands at one moment: immutable, so that many feeds can share one. */
import type { ShardCursor } from '../store/store.ts';

export type Heads = ReadonlyMap<string, ShardCursor>;

export function headsOf(cursors: Iterable<ShardCursor>): Heads {
  return new Map(
    [...cursors].map(({ shard, history, seq }) => [shard, { shard, history, seq }] as const),
  );
}

export function withHead(heads: Heads, head: ShardCursor): Heads {
  return new Map(heads).set(head.shard, head);
}

/** The part of `heads` that a scope covers; null: all of it. */
export function within(heads: Heads, shards: ReadonlySet<string> | null): Heads {
  if (shards === null) return heads;
  return new Map([...heads].filter(([shard]) => shards.has(shard)));
}

/** In each shard the one that is further; of another history the second. */
export function furthest(heads: Heads, others: Iterable<ShardCursor>): Heads {
  const merged = new Map(heads);
  for (const { shard, history, seq } of others) {
    const known = merged.get(shard);
    const isFurther = known === undefined || known.history !== history || known.seq < seq;
    if (isFurther) merged.set(shard, { shard, history, seq });
  }
  return merged;
}

export function seqOf(heads: Heads, shard: string): number {
  return heads.get(shard)?.seq ?? 0;
}
