import { hostAddress } from './board-filter.ts';

/** Opens the drawer of a host. */
export function HostLink({ id, host }: { id: string; host: string }) {
  return <a href={hostAddress(id, host)}>{host}</a>;
}
