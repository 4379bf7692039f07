/** The address is the state: what is shown survives reload, back and being shared. */
import { useEffect, useMemo } from 'preact/hooks';
import { Cell, useCell } from '../parts/cell.ts';

export interface Address {
  /** Decoded segments of the path. */
  path: readonly string[];
  params: URLSearchParams;
}

function read(): Address {
  const path = location.pathname.split('/').filter((part) => part !== '');
  return { path: path.map(decoded), params: new URLSearchParams(location.search) };
}

/**
 * A segment of dots, escaped or not, is a step in the path to every browser. Behind a sign that is always escaped in
 * a name it is one.
 */
const DOTS = /^\.\.?$/;
const DOTS_SIGN = '=';

function encoded(part: string): string {
  return DOTS.test(part) ? `${DOTS_SIGN}${part}` : encodeURIComponent(part);
}

/** A broken escape in an address that somebody typed is shown as it is. */
function decoded(part: string): string {
  if (part.startsWith(DOTS_SIGN) && DOTS.test(part.slice(1))) return part.slice(1);
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const address = new Cell<Address>(read());
addEventListener('popstate', () => {
  address.value = read();
});

export function useAddress(): Address {
  return useCell(address);
}

/** `replace`: no step of its own in the history, for what changes as one types. */
export function go(to: string, { replace = false } = {}): void {
  if (to === location.pathname + location.search) return;
  const from = location.pathname;
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  address.value = read();
  if (location.pathname !== from) scrollTo(0, 0);
}

/** `/tasks/a%2Fb?host=web-1`: of segments as they are, and of what is not null or empty. */
export function addressOf(
  path: readonly string[],
  params: Readonly<Record<string, string | readonly string[] | null>> = {},
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of value === null ? [] : [value].flat()) if (one !== '') query.append(name, one);
  }
  const text = query.toString();
  return `/${path.map(encoded).join('/')}${text === '' ? '' : `?${text}`}`;
}

/** Changes parameters of this address; null and '' take one away. */
export function setParams(
  changes: Readonly<Record<string, string | readonly string[] | null>>,
  options: { replace?: boolean } = {},
): void {
  const params: Record<string, string | readonly string[] | null> = {};
  for (const name of new Set(new URLSearchParams(location.search).keys())) {
    params[name] = new URLSearchParams(location.search).getAll(name);
  }
  go(addressOf(read().path, { ...params, ...changes }), options);
}

/** Changes what a list holds or how it is ordered: a page that was turned to is of another list, so the first is shown. */
export function setList(
  changes: Readonly<Record<string, string | readonly string[] | null>>,
  options: { replace?: boolean } = {},
): void {
  setParams({ ...changes, before: null, after: null }, options);
}

/** Links within the console are followed without loading the page anew. */
export function useLinks(): void {
  useEffect(() => {
    const onClick = (event: MouseEvent): void => {
      const link = (event.target as Element).closest?.('a');
      const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
      if (!link || !plain || event.defaultPrevented || link.target !== '') return;
      if (link.origin !== location.origin || link.hasAttribute('data-leave')) return;
      event.preventDefault();
      go(link.pathname + link.search);
    };
    document.addEventListener('click', onClick);
    return () => document.removeEventListener('click', onClick);
  }, []);
}

/** All values of a parameter; the same array as long as they are the same. */
export function useParam(name: string): readonly string[] {
  const { params } = useAddress();
  const key = params.getAll(name).join('\0');
  return useMemo(() => (key === '' ? [] : key.split('\0')), [key]);
}
