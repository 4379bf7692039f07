import { describe, expect, it } from 'vitest';
import { LANGUAGES } from './agent.ts';
import { lineOf, testFaults } from './faults.ts';

const TOO_LONG = 9 * 1024 * 1024;

describe.runIf(LANGUAGES.includes('go'))('shiplog.go', () => {
  const { leave, deliverRest, linesStored } = testFaults('go');

  it('delivers what stands behind a line that is too long, and names that one', async () => {
    const long = lineOf('long', 2, 'x'.repeat(TOO_LONG));
    await leave('long', [lineOf('long', 1), long, lineOf('long', 3), '']);
    const said = await deliverRest('long');
    expect(await linesStored('long')).toEqual([1, 3]);
    expect(said).toMatch(/line 2 of .*left.ndjson was left out: it has \d{7} bytes/);
  });

  it('leaves it to the server to refuse a line that is over a MiB', async () => {
    const big = { ...JSON.parse(lineOf('big', 1)), params: { much: 'x'.repeat(1_500_000) } };
    await leave('big', [JSON.stringify(big), lineOf('big', 2), '']);
    expect(await deliverRest('big')).toMatch(/an event was rejected: TOO_LONG/);
    expect(await linesStored('big')).toEqual([2]);
  });
});
