/** Shortcuts: each view says what its keys do; `?` lists them. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { addressOf, go } from '../address/address.ts';
import './keyboard.css';

/** By key, the newest view first. */
const handlers = new Map<string, (() => void)[]>();

/** `keys` for as long as the caller is shown. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const current = useRef(keys);
  current.current = keys;
  const names = Object.keys(keys).join(' ');
  useEffect(() => {
    const added = (names === '' ? [] : names.split(' ')).map((key) => {
      const handler = (): void => current.current[key]?.();
      handlers.set(key, [handler, ...(handlers.get(key) ?? [])]);
      return [key, handler] as const;
    });
    return () => {
      for (const [key, handler] of added) {
        handlers.set(
          key,
          (handlers.get(key) ?? []).filter((one) => one !== handler),
        );
      }
    };
  }, [names]);
}

const SHORTCUTS: readonly [key: string, meaning: string][] = [
  ['/', 'search'],
  ['n, p', 'next and previous failed host'],
  ['Esc', 'close what is open'],
  ['← ↑ → ↓', 'from cell to cell of the board; Enter opens'],
  ['f', 'follow the log, or stop following'],
  ['w', 'wrap long lines, or cut them'],
  ['t', 'time: local, UTC, ago, since the step began'],
  ['Home, End', 'in the log: its beginning and its end'],
  ['j, k', 'in the log: select the next or previous line; with Shift, more of them'],
  ['n, N', 'in a log that is searched: next and previous match; Enter in the search box too'],
  ['?', 'this list'],
];

/** The key is the field's own: letters, and Esc as long as there is something in it to take back. */
function isTyping({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (!target.matches('input:not([type="checkbox"]), textarea, select')) return false;
  const isDone = target instanceof HTMLSelectElement || (target as HTMLInputElement).value === '';
  return key !== 'Escape' || !isDone;
}

/** To the search box of what is in front; a view that has none leads to the view of searches. */
function toSearch(): void {
  const box = [...document.querySelectorAll<HTMLElement>('input[type="search"]')].at(-1);
  if (box !== undefined) box.focus();
  else {
    toBeTyped = true;
    go(addressOf(['search']));
  }
}

/** The view of searches is opened to type into it. */
let toBeTyped = false;

/**
 * For the field of that view: it has the focus where it was opened by the key, from the moment at which it is seen,
 * for what is typed before that is lost.
 */
export function useTyping(field: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    if (toBeTyped) field.current?.focus();
    toBeTyped = false;
  }, [field]);
}

/** Opens the list; null: it is not there. */
let openList: (() => void) | null = null;

/** For whoever does not know that `?` does it. */
export function ShortcutsButton() {
  return (
    <button
      type="button"
      class="for-keyboards"
      aria-label="Keyboard shortcuts"
      title="Keyboard shortcuts: ?"
      onClick={() => openList?.()}
    >
      <span aria-hidden="true">?</span>
    </button>
  );
}

export function KeyboardShortcuts() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [, setOpen] = useState(false);
  useLayoutEffect(() => {
    openList = () => {
      dialog.current?.showModal();
      setOpen(true);
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      if (event.key === '?') {
        openList?.();
      } else if (event.key === '/') {
        toSearch();
      } else {
        const handler = handlers.get(event.key)?.[0];
        if (handler === undefined) return;
        handler();
      }
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <dialog ref={dialog} class="keyboard" aria-label="Keyboard shortcuts">
      <h2>Keyboard shortcuts</h2>
      <dl>
        {SHORTCUTS.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}
