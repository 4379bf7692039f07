/** Light, dark, or as the system has it. */
import { useState } from 'preact/hooks';

type Theme = 'light' | 'dark';
const KEY = 'shiplog-theme';

function stored(): Theme | null {
  try {
    const text = localStorage.getItem(KEY);
    return text === 'light' || text === 'dark' ? text : null;
  } catch {
    return null;
  }
}

function show(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
}

const chosen = stored();
if (chosen !== null) show(chosen);

export function ThemeButton() {
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  const [theme, setTheme] = useState<Theme>(chosen ?? system);
  const next: Theme = theme === 'dark' ? 'light' : 'dark';
  const change = (): void => {
    show(next);
    setTheme(next);
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // It holds until the page is left.
    }
  };
  return (
    <button type="button" onClick={change} aria-label={`Theme: ${theme}; change to ${next}`}>
      <span aria-hidden="true">{theme === 'dark' ? '☾' : '☀'}</span>
    </button>
  );
}
