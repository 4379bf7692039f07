/** How far a deployment is, by the outcome of its hosts. */
import './progress.css';

interface Counts {
  total: number;
  succeeded: number;
  failed: number;
  running: number;
}

const WIDTH = 120;

export function Progress({ counts }: { counts: Counts }) {
  const { total, succeeded, failed, running } = counts;
  const words = `${succeeded} of ${total} succeeded, ${failed} failed, ${running} running`;
  let x = 0;
  const part = (name: string, count: number) => {
    // One host of thousands is still seen.
    const width = count === 0 ? 0 : Math.max(2, (WIDTH * count) / total);
    const at = Math.min(x, WIDTH - width);
    const rect = <rect class={`bar-${name}`} x={at} width={width} height={8} />;
    x += width;
    return rect;
  };
  return (
    <span class="progress">
      <svg width={WIDTH} height={8} viewBox={`0 0 ${WIDTH} 8`} role="img" aria-label={words}>
        <rect class="bar-rest" width={WIDTH} height={8} />
        {part('succeeded', succeeded)}
        {part('running', running)}
        {part('failed', failed)}
      </svg>{' '}
      <span aria-hidden="true">
        {succeeded + failed}/{total}
        {failed > 0 && <b class="failed-count"> · {failed} failed</b>}
      </span>
    </span>
  );
}
