/** What one batch adds to the tables of one day: rows, words, times of blocks, counts by level. */
import type { StatementSync } from 'node:sqlite';
import type { StoredEvent } from '../../../domain/event/event.ts';
import { levels } from '../file/codes.ts';
import type { Connection } from '../file/connection.ts';
import { BLOCK_BITS, createDay, ROLLUP_SPANS } from '../file/days.ts';
import { eventValues, insertEventSql, insertWordsSql, wordValues } from '../file/event-row.ts';

interface Times {
  min: number;
  max: number;
}

function widen(times: Times | undefined, at: number): Times {
  if (times === undefined) return { min: at, max: at };
  if (at < times.min) times.min = at;
  if (at > times.max) times.max = at;
  return times;
}

export class DayBatch {
  readonly #connection: Connection;
  readonly #day: number;
  readonly #insertEvent: StatementSync;
  readonly #insertWords: StatementSync;
  readonly #blocks = new Map<number, Times>();
  /** By second and level, as second * 8 + level. */
  readonly #counts = new Map<number, number>();
  #times: Times | undefined;
  #firstSeq = 0;
  #lastSeq = 0;
  #events = 0;
  #lastReceived = 0;

  constructor(connection: Connection, day: number) {
    this.#connection = connection;
    this.#day = day;
    if (connection.get('SELECT 1 AS found FROM days WHERE day = ?', day) === undefined) {
      createDay(connection, day);
    }
    this.#insertEvent = connection.prepare(insertEventSql(day));
    this.#insertWords = connection.prepare(insertWordsSql(day));
  }

  insert(event: StoredEvent, task: number, run: number | null): void {
    const { at, position, receivedAt } = event;
    this.#insertEvent.run(...eventValues(event, task, run));
    const words = wordValues(event);
    if (words !== null) this.#insertWords.run(...words);
    if (this.#events === 0) this.#firstSeq = position.seq;
    this.#lastSeq = position.seq;
    this.#events++;
    if (receivedAt > this.#lastReceived) this.#lastReceived = receivedAt;
    this.#times = widen(this.#times, at);
    const block = Math.floor(position.seq / 2 ** BLOCK_BITS);
    const times = this.#blocks.get(block);
    const wider = widen(times, at);
    if (times === undefined) this.#blocks.set(block, wider);
    const count = Math.floor(at / ROLLUP_SPANS[0]) * 8 + levels.code(event.level);
    this.#counts.set(count, (this.#counts.get(count) ?? 0) + 1);
  }

  write(): void {
    this.#connection.run(
      `INSERT INTO days (day, first_seq, last_seq, events, min_at, max_at, last_received)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET last_seq = excluded.last_seq, events = events + excluded.events,
         min_at = min(min_at, excluded.min_at), max_at = max(max_at, excluded.max_at),
         last_received = max(last_received, excluded.last_received)`,
      this.#day,
      this.#firstSeq,
      this.#lastSeq,
      this.#events,
      this.#times?.min ?? 0,
      this.#times?.max ?? 0,
      this.#lastReceived,
    );
    for (const [block, { min, max }] of this.#blocks) {
      this.#connection.run(
        `INSERT INTO blocks (day, block, min_at, max_at) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET min_at = min(min_at, excluded.min_at),
           max_at = max(max_at, excluded.max_at)`,
        this.#day,
        block,
        min,
        max,
      );
    }
    for (const span of ROLLUP_SPANS) this.#writeRollup(span);
  }

  #writeRollup(span: number): void {
    const counts = new Map<string, [at: number, level: number, events: number]>();
    for (const [key, events] of this.#counts) {
      const level = ((key % 8) + 8) % 8;
      const at = Math.floor((((key - level) / 8) * ROLLUP_SPANS[0]) / span) * span;
      const name = `${at} ${level}`;
      const count = counts.get(name);
      if (count === undefined) counts.set(name, [at, level, events]);
      else count[2] += events;
    }
    for (const [at, level, events] of counts.values()) {
      this.#connection.run(
        `INSERT INTO rollups (span, at, day, level, events) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET events = events + excluded.events`,
        span,
        at,
        this.#day,
        level,
        events,
      );
    }
  }
}
