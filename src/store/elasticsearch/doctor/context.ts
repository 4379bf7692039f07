import type { ResolvedConfig } from '../cluster/config.ts';
import type { Connection } from '../cluster/connection.ts';
import type { Names } from '../indices/names.ts';

/** What every part of the doctor is given. */
export interface DoctorContext {
  connection: Connection;
  config: ResolvedConfig;
  /** Whether credentials were given. */
  identified: boolean;
  names: Names;
  retentionDays: number;
}
