/** Asks why, before what somebody else will notice; beside what it is about, not over it. */
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';

import { useAct } from './assets/bits';
import { useShell } from './shell';

interface Props {
  title: string;
  /** What is lost, or what happens. */
  lost: string;
  verb: string;
  /** Whether it can be left out. */
  optional?: boolean;
  act: (reason: string) => Promise<void>;
  onClose: () => void;
}

export function ReasonForm({ title, lost, verb, optional = false, act, onClose }: Props) {
  const { words } = useShell();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [reason, setReason] = useState('');
  const change = useAct();
  useEffect(() => field.current?.focus(), []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.act(async () => {
      await act(reason.trim());
      onClose();
    });
  };
  return (
    <form
      className="pk-asset-form pk-reason-form"
      aria-labelledby={`${id}-title`}
      onSubmit={submit}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          onClose();
        }
        event.stopPropagation();
      }}
      onClick={event => event.stopPropagation()}
    >
      <h3 id={`${id}-title`}>{title}</h3>
      <p className="pk-quiet">{lost}</p>
      <label htmlFor={id}>
        {optional ? words.__('Reason, if it should be known') : words.__('Reason, shown to the owner')}
      </label>
      <input
        id={id}
        ref={field}
        className="pk-asset-input"
        value={reason}
        maxLength={255}
        required={!optional}
        onChange={event => setReason(event.target.value)}
      />
      {change.error && (
        <p className="pk-refusal" role="alert">
          {change.error.message}
        </p>
      )}
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button pk-primary" disabled={change.busy || (!optional && !reason.trim())}>
          {verb}
        </button>
      </div>
    </form>
  );
}
