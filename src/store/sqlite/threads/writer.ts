/** The worker thread with the only connection that writes. */
import { workerData } from 'node:worker_threads';
import type { RetentionReport } from '../../store.ts';
import { Connection } from '../file/connection.ts';
import { beginEpoch } from '../file/epochs.ts';
import { DROPPED_THROUGH, readMeta } from '../file/meta.ts';
import { migrate } from '../file/migrate.ts';
import { Place } from '../file/place.ts';
import { Appender, type AppendSettings } from '../write/append.ts';
import { Flusher } from '../write/flusher.ts';
import { areViewsOld, refoldTasks } from '../write/refold.ts';
import { retention } from '../write/retention.ts';
import type { Views } from '../write/views.ts';
import { WAL_BOUNDS, Wal } from '../write/wal.ts';
import { eventsOfText, replyOf } from './append-message.ts';
import { serve, workerLog } from './worker-side.ts';

export interface WriterData {
  file: string;
  settings: AppendSettings;
  /** Tests only: the database may not grow beyond so many pages. */
  maxPages: number | null;
}

/** What the writer says when it is ready. */
export interface WriterReady {
  epoch: number;
  lastSeq: number;
  droppedThrough: number;
}

function open({ file, settings, maxPages }: WriterData) {
  const connection = new Connection(file, { readOnly: false, log: workerLog });
  connection.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY;
  `);
  migrate(connection, file);
  if (maxPages !== null) connection.exec(`PRAGMA max_page_count = ${maxPages}`);
  const droppedThrough = readMeta(connection, DROPPED_THROUGH);
  const lastSeq = Math.max(droppedThrough, readLastSeq(connection));
  const epoch = beginEpoch(connection, lastSeq);
  const place = new Place(file);
  if (areViewsOld(connection)) refold(connection);
  const appender = new Appender(connection, settings, lastSeq);
  const flusher = new Flusher(appender.views, workerLog);
  const wal = new Wal(connection, file, WAL_BOUNDS);
  let slices: Generator<void, RetentionReport> | null = null;
  const ready: WriterReady = { epoch, lastSeq, droppedThrough };
  return {
    ready,
    operations: {
      append: (events: string, now: number) => {
        place.check();
        const outcomes = appender.append(eventsOfText(events), now);
        // Before it is acknowledged: it was committed into what is still there.
        place.check();
        return replyOf(outcomes, appender.lastSeq);
      },
      /** Writes the views; returns up to which seq they hold. */
      flush: () => {
        appender.views.flush();
        return appender.views.through;
      },
      /** One slice of retention; `report` is null until it was the last. */
      retention: (now: number) => {
        const slice = slices ?? beginRetention(connection, appender.views, settings, now);
        // Where this one fails, the next run goes on where it was.
        slices = null;
        const { done, value } = slice.next();
        if (done !== true) slices = slice;
        const droppedThrough = readMeta(connection, DROPPED_THROUGH);
        return { report: done === true ? value : null, droppedThrough };
      },
      /** Proves that a transaction can begin and commit, into the file that will be opened again. */
      check: () => {
        place.check();
        return connection.transaction('BEGIN IMMEDIATE', () => true);
      },
      close: () => {
        flusher.stop();
        try {
          appender.views.flush();
        } finally {
          connection.close();
        }
      },
    },
    after: () => {
      flusher.look();
      wal.look();
    },
  };
}

/** After an upgrade: the views are those of another fold. */
function refold(connection: Connection): void {
  for (const { done, total } of refoldTasks(connection)) {
    if (done === 0 && total > 0) workerLog.info({ events: total }, 'the views are folded anew');
  }
}

function beginRetention(
  connection: Connection,
  views: Views,
  { retentionDays }: AppendSettings,
  now: number,
): Generator<void, RetentionReport> {
  views.flush();
  return retention({
    ...{ connection, retentionDays, now },
    onLeaving: (day) => views.leaving.add(day),
    onRemoved: () => {
      views.flush();
      connection.forgetStatements();
      views.recover();
    },
  });
}

function readLastSeq(connection: Connection): number {
  return connection.get<{ seq: number | null }>('SELECT max(last_seq) AS seq FROM days')?.seq ?? 0;
}

serve(() => open(workerData as WriterData));
