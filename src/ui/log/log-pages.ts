/** What is asked of a log: pages of it, and single lines by their time. */
import { AskError, ask } from '../data/ask.ts';
import {
  type EventFilter,
  LineByTimeDocument,
  type LogLineFragment,
  LogMomentDocument,
  LogPageDocument,
} from '../gen/graphql.ts';
import type { LogPage, Place } from './line.ts';

/** Of one moment: senders that tell whole seconds write many. */
const SAME_TIME = 1_000;

export class LogPages {
  readonly #filter: EventFilter;
  readonly #signal: AbortSignal;

  constructor(filter: EventFilter, signal: AbortSignal) {
    this.#filter = filter;
    this.#signal = signal;
  }

  async page(place: Place, filter = this.#filter): Promise<LogPage> {
    const variables = { filter, ...place };
    return (await ask(LogPageDocument, variables, this.#signal)).events;
  }

  /** Those around a line; null: what was given is no cursor of a line in this log. */
  async around(cursor: string, first: number): Promise<LogPage | null> {
    try {
      return await this.page({ around: cursor, first });
    } catch (error) {
      if (error instanceof AskError && error.code.startsWith('CURSOR_')) return null;
      throw error;
    }
  }

  /** Of the event that a list by time has at this cursor; null: there is none. */
  async idByTime(cursor: string): Promise<string | null> {
    const variables = { filter: this.#filter, cursor };
    const found = await ask(LineByTimeDocument, variables, this.#signal).catch(() => null);
    const [edge] = found?.events.edges ?? [];
    return edge?.cursor === cursor ? edge.node.id : null;
  }

  /** The first line by time in a short range: found by its time, whatever the size of the log. */
  async firstOf(range: { from: string; to: string }) {
    const filter = { ...this.#filter, ...range };
    const { events } = await ask(LogMomentDocument, { filter }, this.#signal);
    return events.edges[0] ?? null;
  }

  /** Of a line that came live; null: it is no longer stored. */
  async cursorOf({ at, id }: LogLineFragment): Promise<string | null> {
    const filter = { ...this.#filter, from: at, to: new Date(Date.parse(at) + 1).toISOString() };
    let cursor: string | null = null;
    let after: string | null = null;
    do {
      const page: LogPage = await this.page({ first: SAME_TIME, after }, filter);
      cursor = page.edges.find(({ node }) => node.id === id)?.cursor ?? null;
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (cursor === null && after !== null);
    return cursor;
  }
}
