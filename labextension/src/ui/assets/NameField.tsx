/** What something new is called. */
import { useEffect, useRef } from 'react';

import { useShell } from '../shell';
import { Field } from './bits';

/** The first field of a form that makes something; it has the focus when the form opens. */
export function NameField({
  value,
  error,
  onChange
}: {
  value: string;
  error: Error | null;
  onChange: (name: string) => void;
}) {
  const { words } = useShell();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  return (
    <Field
      label={words.__('Name')}
      name="name"
      error={error}
      hint={words.__('Lower-case letters, digits, “.”, “_” and “-”.')}
    >
      {tie => (
        <input
          {...tie}
          ref={input}
          className="pk-asset-input"
          required
          maxLength={63}
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={event => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
