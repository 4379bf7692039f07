/** Whether the page is being printed: on paper nothing can be scrolled, so long lists show more of themselves. */
import { Cell } from './cell.ts';

const media = matchMedia('print');

export const printing = new Cell(media.matches);

addEventListener('beforeprint', () => {
  printing.value = true;
});
addEventListener('afterprint', () => {
  printing.value = false;
});
media.addEventListener('change', () => {
  printing.value = media.matches;
});
