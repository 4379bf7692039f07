/**
 * The schema's versions: each file of `migrations/` runs once, in a transaction, in order of its
 * number; `user_version` says how many did.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { ShiplogError } from '../../../domain/errors.ts';
import type { Connection } from './connection.ts';
import { allDays, makeIds } from './days.ts';

/** Days that are there get tables of their ids. All with the version: where the disk is full, nothing has changed. */
const IDS = '0003_ids.sql';
const FOLDER = new URL('./migrations/', import.meta.url);

/** Brings the schema up to date. Throws STORE_UNAVAILABLE where a newer Shiplog wrote it. */
export function migrate(connection: Connection, file: string): void {
  const names = migrations();
  const version =
    connection.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
  if (version > names.length) {
    throw new ShiplogError(
      'STORE_UNAVAILABLE',
      `${file} was written by a newer Shiplog (schema ${version}, this one knows ${names.length}). Start that version, or use another data directory.`,
    );
  }
  for (const [index, name] of names.entries()) {
    if (index < version) continue;
    connection.transaction('BEGIN IMMEDIATE', () => {
      connection.exec(readFileSync(new URL(name, FOLDER), 'utf8'));
      if (name === IDS) for (const day of allDays(connection)) makeIds(connection, day);
      connection.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

/** The files, in order; their number is the version of the schema. */
export function migrations(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort();
}
