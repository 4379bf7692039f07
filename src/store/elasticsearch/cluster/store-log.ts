import type { GuardLog } from '../../../guarded.ts';

/** The part of the server's log that the engine writes to. */
export interface StoreLog extends GuardLog {
  warn(fields: object, message: string): void;
}
