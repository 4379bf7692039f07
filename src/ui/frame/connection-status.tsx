/** Whether what is shown is live, and if not, since when. */
import { useCell } from '../parts/cell.ts';
import { useNow } from '../parts/clock.ts';
import { duration } from '../parts/time.ts';
import { connection } from '../data/socket.ts';
import './connection-status.css';

export function ConnectionStatus() {
  const { state, since } = useCell(connection);
  const now = useNow();
  const shown = state === 'idle' ? 'reconnecting' : state;
  return (
    <span role="status" aria-label="Connection" class={`connection connection-${shown}`}>
      <span aria-hidden="true">{state === 'live' ? '●' : '○'}</span> {shown}
      {shown !== 'live' && <Age ms={now - since} />}
    </span>
  );
}

/** Not part of what is announced: it changes each second. */
function Age({ ms }: { ms: number }) {
  return ms < 2_000 ? null : <span aria-hidden="true"> {duration(ms)}</span>;
}
