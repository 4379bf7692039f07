/** What did not fit in documents that were stored all the same, by reason, each with one field. */
import { MISFIT_REASONS, type Misfit } from '../../senders/mapping/misfits.ts';
import { say } from '../output.ts';
import type { ImportDocument } from './document.ts';

export class MisfitTotals {
  readonly #totals = new Map<Misfit['reason'], { count: number; field: string }>();

  add(documents: readonly ImportDocument[]): void {
    for (const { misfits } of documents) {
      for (const { reason, field } of misfits) {
        const total = this.#totals.get(reason);
        if (total === undefined) this.#totals.set(reason, { count: 1, field });
        else total.count++;
      }
    }
  }

  say(): void {
    for (const [reason, { count, field }] of this.#totals) {
      const where = field === '' ? '' : ` (${field}, for one)`;
      say(`${count.toLocaleString('en')} times: ${MISFIT_REASONS[reason]}${where}`);
    }
  }
}
