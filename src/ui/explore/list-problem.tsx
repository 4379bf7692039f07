/** Why a list is not shown, and where its first page is when only the one of the address is gone. */
import { setList } from '../address/address.ts';
import type { AskError } from '../data/ask.ts';

/** The cursor in the address is of another list, or of a store that was restored since. */
export function isPageGone({ code }: AskError): boolean {
  return code.startsWith('CURSOR_');
}

export function ListProblem({ error }: { error: AskError }) {
  if (!isPageGone(error)) {
    return (
      <p role="alert" class="problem">
        {error.message}
      </p>
    );
  }
  return (
    <p role="alert" class="problem">
      The page that the address names is no longer there.{' '}
      <button type="button" onClick={() => setList({}, { replace: true })}>
        First page
      </button>
    </p>
  );
}
