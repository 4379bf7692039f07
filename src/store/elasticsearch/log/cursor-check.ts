/** Whether the shards that cursors point into are still there, and still the same. */
import type { CursorCheck, ShardCursor } from '../../store.ts';
import type { Days } from '../indices/days.ts';
import { parseShard } from '../indices/names.ts';
import type { Shards } from '../indices/shards.ts';

/** In the order of the cursors. */
export async function checkCursors(
  { shards, days }: { shards: Shards; days: Days },
  cursors: readonly ShardCursor[],
): Promise<CursorCheck[]> {
  if (cursors.length === 0) return [];
  const infos = new Map((await shards.read(null)).map((info) => [info.shard, info]));
  let there: Set<string> | null = null;
  const checks: CursorCheck[] = [];
  for (const { shard, history } of cursors) {
    const place = parseShard(shard);
    const info = infos.get(shard);
    if (place === null) checks.push({ state: 'unknown' });
    else if (info !== undefined) {
      // A seq beyond this head counts as well: another node may have told of more already.
      checks.push({ state: info.history === history ? 'live' : 'unknown' });
    } else {
      there ??= await shards.days();
      const finals = await days.final(place.day);
      const finalSeq = finals?.[place.shard];
      // A closed index, or one without a primary: it is there, it cannot be read now.
      if (there.has(place.day)) checks.push({ state: 'live' });
      else if (finalSeq !== undefined) checks.push({ state: 'dropped', finalSeq });
      else checks.push({ state: 'unknown' });
    }
  }
  return checks;
}
