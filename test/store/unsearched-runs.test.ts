/** Of which runs it is not known that searches show them as they are. */
import { describe, expect, it } from 'vitest';
import { UnsearchedRuns } from '../../src/store/elasticsearch/keeper/unsearched-runs.ts';

/** From a first refresh on. */
function known(): UnsearchedRuns {
  const runs = new UnsearchedRuns();
  runs.refreshing()();
  return runs;
}

function write(runs: UnsearchedRuns): void {
  runs.writing();
  runs.written();
}

describe('Runs that searches may not show as they are', () => {
  it('are not known before a first refresh: what was stored before is in none', () => {
    const runs = new UnsearchedRuns();
    runs.add('t', 'web-1');
    write(runs);
    expect(runs.of('t')).toBeNull();
    runs.refreshing()();
    expect(runs.of('t')).toEqual([]);
  });

  it('are those that were laid out, are being written, or were not refreshed since', () => {
    const runs = known();
    runs.add('t', 'web-1');
    runs.add('t', 'web-2');
    runs.add('other', 'web-3');
    expect(runs.of('t')).toEqual(['web-1', 'web-2']);
    runs.writing();
    const tooEarly = runs.refreshing();
    runs.written();
    tooEarly();
    expect(runs.of('t')).toEqual(['web-1', 'web-2']);
    const refreshed = runs.refreshing();
    runs.add('t', 'web-2');
    refreshed();
    expect(runs.of('t')).toEqual(['web-2']);
    expect(runs.of('other')).toEqual([]);
  });

  it('stay those when they are laid out again while they are written', () => {
    const runs = known();
    runs.add('t', 'web-1');
    runs.writing();
    runs.add('t', 'web-1');
    runs.written();
    runs.refreshing()();
    expect(runs.of('t')).toEqual(['web-1']);
    write(runs);
    runs.refreshing()();
    expect(runs.of('t')).toEqual([]);
  });

  it('are not known where there were over 20,000 of them, until the next refresh', () => {
    const runs = known();
    const begun = runs.refreshing();
    for (let i = 0; i < 20_000; i++) runs.add('t', `web-${i}`);
    write(runs);
    expect(runs.of('t')).toHaveLength(20_000);
    runs.add('t', 'one-more');
    write(runs);
    expect(runs.of('t')).toBeNull();
    begun();
    expect(runs.of('t')).toBeNull();
    runs.add('t', 'web-1');
    runs.refreshing()();
    expect(runs.of('t')).toEqual(['web-1']);
  });
});
