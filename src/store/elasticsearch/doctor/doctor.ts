/**
 * Looks at a cluster from outside, for `shiplog doctor`: it needs no server, and changes nothing.
 * Each part asks for itself, so that what one may not see does not hide the rest.
 */
import type { Finding } from '../../../domain/finding.ts';
import { problem } from '../../../domain/finding.ts';
import { type ElasticsearchConfig, withDefaults } from '../cluster/config.ts';
import { Connection } from '../cluster/connection.ts';
import { Names } from '../indices/names.ts';
import { checkAccess } from './access.ts';
import { checkAddresses } from './addresses.ts';
import { checkCapacity } from './capacity.ts';
import { checkClocks } from './clocks.ts';
import type { DoctorContext } from './context.ts';
import { checkHealth } from './health.ts';
import { checkTemplates } from './templates.ts';
import { checkViews } from './views.ts';

type Part = (context: DoctorContext) => Promise<Finding[]>;

const PARTS: readonly [check: string, part: Part][] = [
  ['credentials', checkAccess],
  ['templates', checkTemplates],
  ['health', checkHealth],
  ['capacity', checkCapacity],
  ['clock', checkClocks],
  ['views', checkViews],
];

/** Yields each finding as soon as it is made. Never throws. */
export async function* examineCluster(
  options: ElasticsearchConfig,
  retentionDays: number,
): AsyncGenerator<Finding> {
  const config = withDefaults(options);
  const { findings, answering } = await checkAddresses(options, config.requestTimeoutMs);
  yield* findings;
  if (answering.length === 0) return;
  const connection = new Connection({ ...options, urls: answering }, config.requestTimeoutMs);
  const identified = options.apiKey !== undefined || options.username !== undefined;
  const names = new Names(config.prefix);
  try {
    for (const [check, part] of PARTS) {
      try {
        yield* await part({ connection, config, identified, names, retentionDays });
      } catch (error) {
        yield problem(
          check,
          `could not be looked at: ${(error as Error).message}`,
          'Give the credentials the role that docs/elasticsearch.md shows, and look at the cluster’s own log.',
        );
      }
    }
  } finally {
    await connection.close();
  }
}
