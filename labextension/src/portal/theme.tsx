/** Light, dark, or as the system: `theme.js` has set it before the first paint, and this changes it. */
import { useState } from 'react';

import { useShell } from '../ui/shell';

const KEY = 'pumpkin-theme';

type Theme = '' | 'light' | 'dark';

export function ThemeButton() {
  const { words } = useShell();
  const [theme, setTheme] = useState(() => (localStorage.getItem(KEY) ?? '') as Theme);
  const names = { '': words.__('as the system'), light: words.__('light'), dark: words.__('dark') };
  const next = (): void => {
    const order: Theme[] = ['', 'dark', 'light'];
    const chosen = order[(order.indexOf(theme) + 1) % order.length] ?? '';
    localStorage.setItem(KEY, chosen);
    document.documentElement.dispatchEvent(new Event('pumpkin-theme'));
    setTheme(chosen);
  };
  const title = words.__('Theme: %1', names[theme]);
  return (
    <button type="button" className="pk-copy" title={title} aria-label={title} onClick={next}>
      ◐
    </button>
  );
}
