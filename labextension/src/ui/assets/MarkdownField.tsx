/** A description while it is written, and as it will be shown. */
import { useState } from 'react';

import { useShell } from '../shell';
import { Field } from './bits';
import { Markdown } from './Markdown';

/** A field for Markdown with its preview in the same place. */
export function MarkdownField({
  label,
  error,
  rows,
  value,
  onChange
}: {
  label: string;
  error: Error | null;
  rows: number;
  value: string;
  onChange: (value: string) => void;
}) {
  const { words } = useShell();
  const [shown, setShown] = useState(false);
  return (
    <div className="pk-markdown-field">
      <Field label={label} name="description" error={error}>
        {tie => (
          <textarea
            {...tie}
            hidden={shown}
            className="pk-asset-input pk-asset-source"
            rows={rows}
            value={value}
            onChange={event => onChange(event.target.value)}
          />
        )}
      </Field>
      {shown && (
        <div className="pk-markdown-preview" role="region" aria-label={words.__('Preview')}>
          {value.trim() === '' ? (
            <p className="pk-quiet">{words.__('Nothing is written yet.')}</p>
          ) : (
            <Markdown text={value} />
          )}
        </div>
      )}
      <button
        type="button"
        className="pk-button pk-toggle pk-markdown-toggle"
        aria-pressed={shown}
        onClick={() => setShown(!shown)}
      >
        {words.__('Preview')}
      </button>
    </div>
  );
}
