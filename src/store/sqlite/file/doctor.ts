/**
 * Looks at a data directory from outside, for `shiplog doctor`: also while a server is using it,
 * and changing nothing. A database that nobody uses and whose write-ahead log is empty is opened
 * as immutable, so that not even SQLite's own files beside it are made.
 */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { type Finding, fine, problem, warning } from '../../../domain/finding.ts';
import { humanBytes } from '../../../domain/text/human-bytes.ts';
import { checkSqliteVersion } from './lock.ts';
import { VIEWS_THROUGH } from './meta.ts';
import { migrations } from './migrate.ts';

const MIB = 2 ** 20;
const LEAST_FREE = 100 * MIB;
const BUSY = 5;

type Check = (directory: string) => Finding[];

const CHECKS: readonly [check: string, look: Check][] = [
  ['SQLite', sqliteVersion],
  ['data directory', writable],
  ['disk', freeDisk],
  ['server', holder],
  ['database', database],
];

/** Yields each finding as soon as it is made. Never throws. */
export function* examineDataDir(dataDir: string): Generator<Finding> {
  const directory = resolve(dataDir);
  for (const [check, look] of CHECKS) {
    try {
      yield* look(directory);
    } catch (error) {
      yield problem(
        check,
        `could not be looked at: ${(error as Error).message}`,
        'See that this user may read the data directory.',
      );
    }
  }
}

function sqliteVersion(): Finding[] {
  const version = process.versions.sqlite ?? '0';
  try {
    checkSqliteVersion(version);
  } catch (error) {
    return [problem('SQLite', (error as Error).message, 'Install the newest Node 24.')];
  }
  return [fine('SQLite', `${version}, in Node ${process.versions.node}`)];
}

function writable(directory: string): Finding[] {
  const there = existsSync(directory);
  const place = there ? directory : existing(directory);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch {
    return [
      problem(
        'data directory',
        `${place} cannot be written by this user`,
        'Give the user of the server the right to, or set SHIPLOG_DATA_DIR to another directory.',
      ),
    ];
  }
  return [
    fine('data directory', there ? directory : `${directory}: not there yet, a server makes it`),
  ];
}

function freeDisk(directory: string): Finding[] {
  const { bavail, bsize } = statfsSync(existing(directory));
  const free = bavail * bsize;
  const file = join(directory, 'shiplog.db');
  const size = existsSync(file) ? statSync(file).size : 0;
  const detail = `${humanBytes(free)} free, the database has ${humanBytes(size)}`;
  if (free < LEAST_FREE) {
    return [
      problem(
        'disk',
        detail,
        'Make room: on a full disk new events are refused (STORE_FULL), reading goes on.',
      ),
    ];
  }
  return free < size
    ? [
        warning(
          'disk',
          detail,
          'A backup onto this disk would not fit. Make room, or shorten SHIPLOG_RETENTION_DAYS.',
        ),
      ]
    : [fine('disk', detail)];
}

function holder(directory: string): Finding[] {
  const held = isHeld(directory);
  return [fine('server', held ? 'one is using the directory now' : 'none is using the directory')];
}

/** A server has its lock exclusively, so that it cannot even be read. */
function isHeld(directory: string): boolean {
  const file = join(directory, 'shiplog.lock');
  if (!existsSync(file)) return false;
  const lock = new DatabaseSync(file, { readOnly: true, timeout: 0 });
  try {
    lock.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === BUSY) return true;
    throw error;
  } finally {
    lock.close();
  }
}

function database(directory: string): Finding[] {
  const file = join(directory, 'shiplog.db');
  if (!existsSync(file))
    return [fine('database', 'none yet; the first start of a server makes it')];
  const wal = `${file}-wal`;
  const quiet = !isHeld(directory) && (!existsSync(wal) || statSync(wal).size === 0);
  const location = pathToFileURL(file);
  if (quiet) location.searchParams.set('immutable', '1');
  const db = new DatabaseSync(location, { readOnly: true, timeout: 5_000 });
  try {
    const version = numberOf(db, 'PRAGMA user_version');
    const known = migrations().length;
    if (version > known) {
      return [
        problem(
          'database',
          `${file} was written by a newer Shiplog (schema ${version}, this one knows ${known})`,
          'Start that version, or use another data directory.',
        ),
      ];
    }
    return [integrity(db), ...(version === 0 ? [] : [views(db)])];
  } catch (error) {
    return [damaged((error as Error).message)];
  } finally {
    db.close();
  }
}

function integrity(db: DatabaseSync): Finding {
  const rows = db.prepare('PRAGMA quick_check(3)').all() as { quick_check: string }[];
  const said = rows.map(({ quick_check }) => quick_check);
  if (said.length === 1 && said[0] === 'ok') return fine('database', 'quick_check found no fault');
  return damaged(said.join('; '));
}

function damaged(what: string): Finding {
  return problem(
    'database',
    `damaged: ${what}`,
    'Stop the server, keep a copy of the directory, and restore a backup; look at the disk.',
  );
}

/** Only for information: what is missing is folded when a server starts. */
function views(db: DatabaseSync): Finding {
  const head = numberOf(db, 'SELECT coalesce(max(last_seq), 0) FROM days');
  const through = numberOf(
    db,
    `SELECT coalesce((SELECT value FROM meta WHERE key = '${VIEWS_THROUGH}'), 0)`,
  );
  const behind = Math.max(0, head - through);
  return fine('views', behind === 0 ? 'hold the whole log' : `${behind} events behind the log`);
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0);
}

/** The nearest directory above that is there. */
function existing(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existing(dirname(path));
}
