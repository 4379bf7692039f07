/** A view whose code is fetched when it is opened first. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Skeleton } from '../parts/skeleton.tsx';

export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let known: ComponentType<Props> | null = null;
  return function Later(props: Props) {
    const [, setHere] = useState(known !== null);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (known !== null) return;
      load().then(
        (view) => {
          known = view;
          setHere(true);
        },
        () => setFailed(true),
      );
    }, []);
    if (failed) {
      return (
        <p role="alert" class="problem">
          This part of the console could not be fetched: the server is away, or it was upgraded.{' '}
          <button type="button" onClick={() => location.reload()}>
            Reload the page
          </button>
        </p>
      );
    }
    const View = known;
    return View === null ? <Skeleton /> : <View {...props} />;
  };
}
