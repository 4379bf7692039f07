/** Failed and timed-out steps by cause. */
import { failureGroup, groupFailures } from '../../../domain/fold/failure-groups.ts';
import type { FailureGroup } from '../../../domain/fold/views.ts';
import type { StepFilter } from '../../../domain/search/filter.ts';
import type { Connection } from '../file/connection.ts';
import { STEP_FROM, stepWhere } from '../query/steps.ts';
import { readStepsByKey } from './lists.ts';

type Row = [fingerprint: string, taskId: string, host: string, step: string, at: number];

export function readFailureGroups(
  connection: Connection,
  filter: StepFilter,
  first: number,
): FailureGroup[] {
  const where = stepWhere(filter);
  // In the order of `compareFailed`: newest first.
  const rows = connection.arrays<Row>(
    `SELECT s.fingerprint, t.id, r.host, s.name, coalesce(s.finished_at, s.started_at) AS at
     FROM ${STEP_FROM} WHERE alive() AND s.fingerprint IS NOT NULL AND ${where.sql}
     ORDER BY at DESC, t.id, r.host, s.name`,
    where.params,
  );
  const failed = Iterator.from(rows).map(([fingerprint, taskId, host, step, at]) => ({
    ...{ fingerprint, taskId, host, step, at },
  }));
  return groupFailures(failed, first).flatMap((group) => {
    const [sample] = readStepsByKey(connection, [group.newest]);
    return sample == null ? [] : [failureGroup(group, sample)];
  });
}
