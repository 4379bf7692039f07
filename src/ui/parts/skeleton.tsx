/** What stands where something will be; drawn after a moment only, so that what is quick does not flicker. */
import './skeleton.css';

export function Skeleton() {
  return (
    <div class="skeleton" aria-hidden="true">
      <div />
      <div />
      <div />
    </div>
  );
}
