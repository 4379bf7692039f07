/** A facet: values of one field, any of which may be meant. In the address, as the field's name. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { setList, useParam } from '../address/address.ts';
import { useKeys } from '../frame/keyboard.tsx';
import './facet.css';

interface FacetProps {
  name: string;
  param: string;
  /** What can be chosen; what is chosen already is added. */
  values: readonly string[];
  wordOf?: (value: string) => string;
  /** Somebody looks at the values. */
  onOpen?: () => void;
}

export function Facet(props: FacetProps) {
  const { name, param, values, wordOf = (value) => value, onOpen } = props;
  const chosen = useParam(param);
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const onOutside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', onOutside);
    return () => document.removeEventListener('pointerdown', onOutside);
  }, [open]);
  const close = (): void => {
    setOpen(false);
    // What had it is gone with the values.
    if (box.current?.contains(document.activeElement)) button.current?.focus();
  };
  const onLeft = ({ relatedTarget: next }: FocusEvent): void => {
    if (next instanceof Node && !box.current?.contains(next)) setOpen(false);
  };
  useKeys(open ? { Escape: close } : {});
  const all = [...new Set([...values, ...chosen])];
  const toggle = (value: string): void => {
    const next = chosen.includes(value)
      ? chosen.filter((one) => one !== value)
      : [...chosen, value];
    setList({ [param]: next }, { replace: true });
  };
  return (
    <span class="facet" ref={box} onFocusOut={onLeft}>
      <button
        type="button"
        ref={button}
        aria-expanded={open}
        aria-pressed={chosen.length > 0}
        onClick={() => {
          if (!open) onOpen?.();
          setOpen(!open);
        }}
      >
        {name}
        {chosen.length > 0 && `: ${chosen.map(wordOf).join(', ')}`}{' '}
        <span aria-hidden="true">▾</span>
      </button>
      {open && (
        <fieldset class="facet-values">
          <legend class="visually-hidden">{name}</legend>
          {all.length === 0 && <p>Nothing to choose from yet.</p>}
          {all.map((value) => (
            <label key={value}>
              <input
                type="checkbox"
                checked={chosen.includes(value)}
                onChange={() => toggle(value)}
              />{' '}
              {wordOf(value)}
            </label>
          ))}
        </fieldset>
      )}
    </span>
  );
}
