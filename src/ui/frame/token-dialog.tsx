/** Asks for an access token where the server wants one. */
import { useEffect, useRef } from 'preact/hooks';
import { setToken, tokenWanted } from '../data/token.ts';
import { useCell } from '../parts/cell.ts';
import './token-dialog.css';

export function TokenDialog() {
  const reason = useCell(tokenWanted);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (reason !== null && dialog.current?.open === false) dialog.current.showModal();
    if (reason === null) dialog.current?.close();
  }, [reason]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem('token');
    setToken((field as HTMLInputElement).value);
  };
  return (
    <dialog ref={dialog} class="token-dialog" aria-labelledby="token-title">
      <form onSubmit={submit}>
        <h2 id="token-title">This server wants an access token</h2>
        <p>{reason}</p>
        <p>
          One with the scope <code>read</code>; an operator makes it with{' '}
          <code>shiplog tokens create --scope read</code>. It is kept until this tab is closed.
        </p>
        <label>
          Token <input type="password" name="token" autocomplete="off" required size={50} />
        </label>{' '}
        <button type="submit">Use it</button>
      </form>
    </dialog>
  );
}
