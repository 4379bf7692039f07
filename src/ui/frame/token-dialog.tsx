/** Asks for an access token where the server wants one. */
import { useEffect, useRef } from 'preact/hooks';
import { setToken, token, tokenWanted } from '../data/token.ts';
import { useCell } from '../parts/cell.ts';
import './token-dialog.css';

export function TokenDialog() {
  const reason = useCell(tokenWanted);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (reason !== null && dialog.current?.open === false) dialog.current.showModal();
    if (reason === null) dialog.current?.close();
  }, [reason]);
  // Without a token there is nothing to see: Esc does not lead there.
  const stay = (): void => {
    if (tokenWanted.value !== null && dialog.current?.open === false) dialog.current.showModal();
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const field = form.elements.namedItem('token') as HTMLInputElement;
    setToken(field.value);
    // Where it is asked for again, that one was wrong.
    form.reset();
  };
  return (
    <dialog ref={dialog} class="token-dialog" aria-labelledby="token-title" onClose={stay}>
      <form onSubmit={submit}>
        <h2 id="token-title">Access to this server</h2>
        {token.value !== null && (
          <p role="alert" class="problem">
            {reason}
          </p>
        )}
        <p>
          It wants an access token, one with the scope <code>read</code>; an operator makes it with{' '}
          <code>shiplog tokens create --scope read</code>. It is kept until this tab is closed.
        </p>
        <label>
          Token <input type="password" name="token" autocomplete="off" required />
        </label>{' '}
        <button type="submit">Use it</button>
      </form>
    </dialog>
  );
}
