/** A line of a log, and pages of them as the server answers. */
import type { LogLineFragment, LogPageQuery, LogPageQueryVariables } from '../gen/graphql.ts';

export interface Line {
  event: LogLineFragment;
  /** null: it came live, and has not been asked for. */
  cursor: string | null;
  /** Events before it are gone: said instead of silence. */
  afterGap: boolean;
}

export type LogPage = LogPageQuery['events'];
export type Place = Pick<LogPageQueryVariables, 'first' | 'last' | 'after' | 'before' | 'around'>;

export function linesOf({ edges }: LogPage): Line[] {
  return edges.map(({ cursor, node }) => ({ event: node, cursor, afterGap: false }));
}
