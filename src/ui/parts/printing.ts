/** Whether the page is being printed: on paper nothing can be scrolled, so long lists show more of themselves. */
import { Cell } from './cell.ts';

const media = matchMedia('print');

export const printing = new Cell(media.matches);

/** Also where nobody has been told yet: what is laid out for paper has been scrolled away by then. */
export function isPrinting(): boolean {
  return printing.value || media.matches;
}

addEventListener('beforeprint', () => {
  printing.value = true;
});
addEventListener('afterprint', () => {
  printing.value = false;
});
media.addEventListener('change', () => {
  printing.value = media.matches;
});
