/**
 * Which ids are stored. They are random, so an index that is kept with every batch has a page of
 * its own to write for nearly each of them: more than half of what a batch wrote. Here the newest
 * are in memory, read back from the events after a start; the index takes them a generation at a
 * time, in its own order, some with each append, so that those that come together share pages.
 */
import { randomInt } from 'node:crypto';
import type { Connection } from '../file/connection.ts';
import { allDays } from '../file/days.ts';
import type { TaskEntry } from './entries.ts';

/** Ids of one generation: some 9 MB while they are in memory, and half of the next beside them. */
const GENERATION = 2 ** 17;
/** Ids that go into the index for each that comes: the one before is gone at half of the next. */
const PACE = 2;

const GOLDEN = 0x9e37_79b1;
const SECRET = randomInt(2 ** 31) * 2 + 1;

/** What of an event its identity is found by. */
export interface Identified {
  day: number;
  task: number;
  /** 48 bits of the id: others may have the same. */
  hash: number;
  seq: number;
}

/** A row that may be the event. */
export type Candidate = [seq: number, rest: string];

export class Identities {
  readonly #connection: Connection;
  readonly #size: number;
  #recent = new Recent();
  /** On its way into the index, and in memory until all of it is there. */
  #before: Generation | null = null;
  /** By day: up to which seq its index is complete. */
  readonly #through = new Map<number, number>();
  readonly #leaving: ReadonlySet<number>;

  /**
   * `leaving`: days whose tasks take no events any more, and whose index goes with them. `size`:
   * tests make a generation small.
   */
  constructor(connection: Connection, leaving: ReadonlySet<number>, size = GENERATION) {
    this.#connection = connection;
    this.#leaving = leaving;
    this.#size = size;
    for (const { day, ids_through } of allDays(connection)) {
      if (!leaving.has(day)) this.#load(day, ids_through);
    }
  }

  #load(day: number, through: number): void {
    this.#through.set(day, through);
    const rows = this.#connection.arrays<[task: number, hash: number, seq: number]>(
      `SELECT task, id_hash, seq FROM events_${day} WHERE seq > ?`,
      [through],
    );
    for (const [task, hash, seq] of rows) this.#recent.add({ day, task, hash, seq });
  }

  /** Events of a task that may have one of these ids. */
  find({ day, key, firstSeq }: TaskEntry, hashes: readonly number[]): Candidate[] {
    const seqs: number[] = [];
    for (const hash of hashes) {
      this.#recent.find(key, hash, seqs);
      this.#before?.ids.find(key, hash, seqs);
    }
    const events = `events_${day}`;
    const found =
      seqs.length === 0
        ? []
        : this.#connection.arrays<Candidate>(
            `SELECT seq, rest FROM ${events} WHERE seq IN (SELECT value FROM json_each(?))`,
            [JSON.stringify(seqs)],
          );
    // Most tasks are younger than what the index has.
    if (firstSeq > (this.#through.get(day) ?? 0)) return found;
    return found.concat(
      this.#connection.arrays<Candidate>(
        `SELECT e.seq, e.rest FROM ids_${day} i CROSS JOIN ${events} e ON e.seq = i.seq
         WHERE i.task = ? AND i.id_hash IN (SELECT value FROM json_each(?))`,
        [key, JSON.stringify(hashes)],
      ),
    );
  }

  /**
   * Within the transaction that stores these: puts some of the generation before into the index.
   * What it returns is to be called once that is committed; where it is not, nothing has changed.
   */
  advance(stored: readonly Identified[]): () => void {
    const before = this.#before ?? this.#recent.generation(this.#size);
    const moved = before === null ? null : this.#move(before, PACE * stored.length);
    const recent = before?.ids === this.#recent ? new Recent() : this.#recent;
    // Here, for once it is committed nothing may fail.
    recent.makeRoom(stored.length);
    return () => {
      this.#recent = recent;
      if (before !== null) {
        before.moved = moved;
        this.#before = moved === null ? null : before;
        if (moved === null) for (const day of before.days) this.#through.set(day, before.through);
      }
      for (const one of stored) this.#recent.add(one);
    };
  }

  /** Returns how far it is then; null: all of it is in the index. */
  #move(before: Generation, most: number): Place | null {
    const { ids, place } = before.after(before.moved, most);
    for (const { day, task, hash, seq } of ids) {
      if (this.#leaving.has(day)) continue;
      // Again after a stop, when some of the generation is there, and of those with one hash.
      this.#connection
        .prepare(`INSERT OR IGNORE INTO ids_${day} (task, id_hash, seq) VALUES (?, ?, ?)`)
        .run(task, hash, seq);
    }
    if (place === null) {
      for (const day of before.days) {
        this.#connection.run('UPDATE days SET ids_through = ? WHERE day = ?', before.through, day);
      }
    }
    return place;
  }
}

/** The ids of one task. */
interface TaskIds {
  day: number;
  task: number;
  hashes: number[];
}

/**
 * Ids in memory, found by task and hash: a table with open addressing, half of it empty, for a Map
 * takes several times as long with numbers of 48 bits.
 */
class Recent {
  #size = 0;
  #through = 0;
  #slots = 1_024;
  #taskAt = new Float64Array(this.#slots);
  #hashAt = new Float64Array(this.#slots);
  /** 0: empty. */
  #seqAt = new Float64Array(this.#slots);
  readonly #tasks = new Map<number, TaskIds>();

  add({ day, task, hash, seq }: Identified): void {
    let known = this.#tasks.get(task);
    if (known === undefined) {
      known = { day, task, hashes: [] };
      this.#tasks.set(task, known);
    }
    known.hashes.push(hash);
    this.#through = Math.max(this.#through, seq);
    this.makeRoom(1);
    this.#size++;
    this.#put(task, hash, seq);
  }

  makeRoom(more: number): void {
    let slots = this.#slots;
    while ((this.#size + more) * 2 > slots) slots *= 2;
    if (slots > this.#slots) this.#grow(slots);
  }

  #put(task: number, hash: number, seq: number): void {
    let at = this.#slotOf(task, hash);
    while (this.#seqAt[at] !== 0) at = (at + 1) & (this.#slots - 1);
    this.#taskAt[at] = task;
    this.#hashAt[at] = hash;
    this.#seqAt[at] = seq;
  }

  /** Senders choose what is hashed: which slots meet is not for them to know. */
  #slotOf(task: number, hash: number): number {
    const mixed = Math.imul(hash ^ Math.imul(task, GOLDEN), SECRET);
    const all = Math.imul(mixed ^ (hash / 2 ** 32), GOLDEN);
    return (all ^ (all >>> 15)) & (this.#slots - 1);
  }

  #grow(slots: number): void {
    const [tasks, hashes, seqs] = [this.#taskAt, this.#hashAt, this.#seqAt];
    this.#taskAt = new Float64Array(slots);
    this.#hashAt = new Float64Array(slots);
    this.#seqAt = new Float64Array(slots);
    this.#slots = slots;
    for (const [at, seq] of seqs.entries()) {
      if (seq !== 0) this.#put(tasks[at] as number, hashes[at] as number, seq);
    }
  }

  /** Nearly always one, where there is any. */
  find(task: number, hash: number, into: number[]): void {
    for (let at = this.#slotOf(task, hash); ; at = (at + 1) & (this.#slots - 1)) {
      const seq = this.#seqAt[at] as number;
      if (seq === 0) return;
      if (this.#hashAt[at] === hash && this.#taskAt[at] === task) into.push(seq);
    }
  }

  /** null: there are fewer than `size`. */
  generation(size: number): Generation | null {
    if (this.#size < size) return null;
    const tasks = [...this.#tasks.values()].sort((a, b) => a.day - b.day || a.task - b.task);
    return new Generation(this, tasks, this.#through);
  }
}

/** What is before it is in the index. */
interface Place {
  task: number;
  hash: number;
}

/** Ids that go into the index, in its order. */
class Generation {
  readonly ids: Recent;
  readonly days: ReadonlySet<number>;
  /** The greatest seq of them. */
  readonly through: number;
  readonly #tasks: readonly TaskIds[];
  /** The hashes of the task that is being moved, sorted when its turn comes. */
  #sorted: { task: number; hashes: Float64Array } = { task: -1, hashes: new Float64Array() };
  moved: Place | null = { task: 0, hash: 0 };

  constructor(ids: Recent, tasks: readonly TaskIds[], through: number) {
    this.ids = ids;
    this.#tasks = tasks;
    this.days = new Set(tasks.map(({ day }) => day));
    this.through = through;
  }

  /** Some `most` from there on, and where they end; null: there are no more. */
  after(from: Place | null, most: number): { ids: Identified[]; place: Place | null } {
    const ids: Identified[] = [];
    let place = from;
    while (place !== null && ids.length < most) {
      const { day, task } = this.#tasks[place.task] as TaskIds;
      const hashes = this.#hashesOf(place.task);
      const end = Math.min(hashes.length, place.hash + most - ids.length);
      for (const hash of hashes.subarray(place.hash, end)) {
        const seqs: number[] = [];
        this.ids.find(task, hash, seqs);
        for (const seq of seqs) ids.push({ day, task, hash, seq });
      }
      if (end < hashes.length) place = { task: place.task, hash: end };
      else place = place.task + 1 < this.#tasks.length ? { task: place.task + 1, hash: 0 } : null;
    }
    return { ids, place };
  }

  #hashesOf(task: number): Float64Array {
    if (this.#sorted.task !== task) {
      const { hashes } = this.#tasks[task] as TaskIds;
      this.#sorted = { task, hashes: Float64Array.from(hashes).sort() };
    }
    return this.#sorted.hashes;
  }
}
