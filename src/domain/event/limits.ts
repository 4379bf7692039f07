/**
 * How long and how many: every cap on what a sender may send, each with its reason. Texts are
 * counted in UTF-16 units (JavaScript's length), so that clients can check before they send.
 */
export const LIMITS = {
  /** Ids of release systems are short; it is a key in every index, so it must not be a document. */
  taskId: 256,
  /** The longest DNS name is 253 characters. */
  host: 255,
  /** A step is a column heading on boards. */
  step: 128,
  /** Room for any UUID, ULID or a path-like id; with the task it is hashed to a fixed length. */
  eventId: 128,
  writer: 128,
  /** `agent/1.4.2`. */
  source: 128,
  /** Docker splits lines at 16 KiB; four of them, joined, still fit. */
  message: 65_536,
  /** Beyond what Windows allows on a command line (32,767); Linux commands rarely come near. */
  command: 32_768,
  /** A stack trace of some hundred frames. */
  errorMessage: 32_768,
  /** A code is grouped by, not read. */
  errorCode: 256,
  /** Bytes of JSON in UTF-8. Parameters explain a command; data belongs elsewhere. */
  paramsBytes: 16 * 1_024,
  /** Deeper is a document, and recursion must be bounded. */
  paramsDepth: 8,
  /** In all levels together: each key costs storage in every engine. */
  paramsKeys: 256,
  /** Labels are compared one by one on the live path. */
  labels: 64,
  labelKey: 128,
  labelValue: 1_024,
  /** `MiB`, `files`. */
  progressUnit: 64,
  /** A step run ten thousand times is a loop, and a board lists all attempts. */
  attempt: 10_000,
  /** The greatest Int of GraphQL: two thousand million events of one process. */
  sequence: 2_147_483_647,
  /** 31 years: longer is a wrong unit. Milliseconds. */
  durationMs: 1e12,
  /** A board is hosts × steps. */
  planSteps: 100,
  /** Named in one TASK event; more hosts than this report for themselves. */
  hosts: 10_000,
  /** Hosts that a finished task waits for; ten times the largest fleet that is tested. */
  expectedHosts: 100_000,
  title: 1_024,
  /** service, version, environment, createdBy: short names that are grouped by. */
  taskName: 256,
} as const;
