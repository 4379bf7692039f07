/**
 * `npm run soak [-- kill|elasticsearch|outage] [--minutes N]`: faults under load, for long. Says at
 * the end whether every promise was kept; the exit code is 1 if not.
 */
import { parseArgs } from 'node:util';
import { elasticsearch } from './soak/elasticsearch.ts';
import { kill } from './soak/kill.ts';
import { outage } from './soak/outage.ts';
import type { Soak } from './soak/soak.ts';

const SOAKS: readonly Soak[] = [kill, elasticsearch, outage];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string' }, help: { type: 'boolean', default: false } },
});

async function main(): Promise<number> {
  const usage = SOAKS.map(
    ({ name, about, minutes }) => `${name.padEnd(14)} ${about} (${minutes} minutes)`,
  );
  if (values.help) {
    console.log(usage.join('\n'));
    return 0;
  }
  const names = positionals.length === 0 ? ['kill'] : positionals;
  const chosen = SOAKS.filter(({ name }) => names.includes(name));
  const asked = values.minutes === undefined ? null : Number(values.minutes);
  if (chosen.length < names.length || (asked !== null && !(asked > 0))) {
    console.error(`soak: one of these, and --minutes is a number above 0\n${usage.join('\n')}`);
    return 2;
  }
  let kept = true;
  for (const soak of chosen) {
    const say = (progress: string) => console.error(`${soak.name}: ${progress}`);
    const { summary, broken } = await soak.run({ minutes: asked ?? soak.minutes, say });
    console.log(`${soak.name}: ${broken.length === 0 ? 'kept' : 'BROKEN'}; ${summary}`);
    for (const problem of broken.slice(0, 20)) console.log(`  ${problem}`);
    if (broken.length > 0) kept = false;
  }
  return kept ? 0 : 1;
}

process.exitCode = await main();
