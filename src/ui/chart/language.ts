/**
 * uPlot formats numbers in the browser's language as soon as it is loaded, and some browsers under a
 * POSIX locale name one that does not exist (`en-US@posix`): without this there would be no chart.
 */
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
}
