/** Environment variables as rows; pasted `NAME=value` lines become rows. */
import type { ClipboardEvent } from 'react';

import { useShell } from '../shell';
import { type EnvRow, parseEnv } from './values';

/** Rows of names and values, and an empty one to go on. */
export function EnvRows({ rows, onChange }: { rows: readonly EnvRow[]; onChange: (rows: EnvRow[]) => void }) {
  const { words } = useShell();
  const shown = [...rows, { name: '', value: '' }];
  const set = (at: number, change: Partial<EnvRow>): void =>
    onChange(
      shown
        .map((row, place) => (place === at ? { ...row, ...change } : row))
        .filter((row, place) => place < rows.length || row.name || row.value)
    );
  const paste = (event: ClipboardEvent, at: number): void => {
    const pasted = parseEnv(event.clipboardData.getData('text'));
    if (pasted) {
      event.preventDefault();
      onChange([...rows.slice(0, at), ...pasted, ...rows.slice(at + 1)]);
    }
  };
  return (
    <ul className="pk-env">
      {shown.map((row, at) => (
        <li key={at}>
          <input
            type="text"
            className="pk-input pk-mono"
            aria-label={words.__('Name of variable %1', at + 1)}
            placeholder={words.__('NAME')}
            spellCheck={false}
            value={row.name}
            onPaste={event => paste(event, at)}
            onChange={event => set(at, { name: event.target.value })}
          />
          <textarea
            className="pk-input pk-mono"
            rows={1}
            aria-label={words.__('Value of variable %1', at + 1)}
            placeholder={words.__('value')}
            spellCheck={false}
            value={row.value}
            onChange={event => set(at, { value: event.target.value })}
          />
          <button
            type="button"
            className="pk-button"
            aria-label={words.__('Leave out variable %1', at + 1)}
            disabled={at >= rows.length}
            onClick={() => onChange(rows.filter((_, place) => place !== at))}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}
