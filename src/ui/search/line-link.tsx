/**
 * To a line that was found, in the log of its deployment. Cursors of a list by time name a place in
 * the log too, but lines of the log go by those of the log: that one is asked for on the way.
 */
import type { ComponentChildren } from 'preact';
import { addressOf, go } from '../address/address.ts';
import { ask } from '../data/ask.ts';
import { type FoundLineFragment, PlaceInLogDocument } from '../gen/graphql.ts';

interface LineLinkProps {
  line: FoundLineFragment;
  cursor: string;
  children: ComponentChildren;
}

export function LineLink({ line: { taskId, hostName }, cursor, children }: LineLinkProps) {
  const address = (at: string): string =>
    addressOf(['tasks', taskId], { host: hostName, line: at });
  const open = async (event: MouseEvent): Promise<void> => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!plain) return;
    event.preventDefault();
    const hosts = hostName === null ? {} : { hosts: [hostName] };
    const found = await ask(PlaceInLogDocument, { filter: { taskId, ...hosts }, cursor }).catch(
      () => null,
    );
    go(address(found?.events.edges[0]?.cursor ?? cursor));
  };
  return (
    <a href={address(cursor)} onClick={open}>
      {children}
    </a>
  );
}
