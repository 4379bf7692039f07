/** Whether what is shown is live, and if not, since when; and the choice to let it stand still. */
import { pause, paused, resume } from '../data/pause.ts';
import { connection } from '../data/socket.ts';
import { useCell } from '../parts/cell.ts';
import { useNow } from '../parts/clock.ts';
import { duration } from '../parts/time.ts';
import './connection-status.css';
import { counted } from '../parts/count.ts';

export function ConnectionStatus() {
  const { state, since } = useCell(connection);
  const standing = useCell(paused);
  const now = useNow();
  const connected = state === 'live';
  const shown = !connected
    ? state === 'idle'
      ? 'connecting'
      : state
    : standing
      ? 'paused'
      : 'live';
  const from = connected ? (standing?.since ?? now) : since;
  const word = shown === 'connecting' ? 'reconnecting' : shown;
  return (
    <>
      <span role="status" aria-label="Connection" class={`connection connection-${word}`}>
        <span aria-hidden="true">{word === 'live' ? '●' : word === 'paused' ? '❚❚' : '○'}</span>{' '}
        {word}
        {word !== 'live' && <Age ms={now - from} behind={standing?.behind ?? 0} />}
      </span>
      <button
        type="button"
        class="pause"
        aria-pressed={standing !== null}
        onClick={standing === null ? pause : resume}
      >
        {standing === null ? 'Pause' : 'Resume'}
      </button>
    </>
  );
}

/** Not part of what is announced: it changes each second. */
function Age({ ms, behind }: { ms: number; behind: number }) {
  const parts = [
    ms < 2_000 ? '' : duration(ms),
    behind === 0 ? '' : `${counted(behind, 'change')} behind`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? null : <span aria-hidden="true"> {parts.join(', ')}</span>;
}
