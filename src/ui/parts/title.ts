import { useEffect } from 'preact/hooks';

/** What the tab is called while a view is shown: among many tabs it says how each goes. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Shiplog`;
    return () => {
      document.title = 'Shiplog';
    };
  }, [title]);
}
