/** A labelled control with what is wrong with it beside it. */
import { type ReactNode, useId } from 'react';

import { Problem } from '../api/client';

/** Something that is not acceptable, and of which field. */
export interface Wrong {
  field: string;
  message: string;
}

/** What a control needs to belong to its field. */
export interface Control {
  id: string;
  'data-field': string;
  'aria-invalid': true | undefined;
  'aria-describedby': string | undefined;
}

/** A label, a control made by `children`, a hint and the refusals of `name`: among `wrong`, or in the platform's `error`. */
export function Field({
  name,
  label,
  hint,
  wrong = [],
  error,
  children
}: {
  name: string;
  label: string;
  hint?: ReactNode;
  wrong?: readonly Wrong[];
  error?: Error | null;
  children: (control: Control) => ReactNode;
}) {
  const id = useId();
  const refused = [...wrong.filter(each => each.field === name), ...refusalsOf(error, name)];
  const described = [hint ? `${id}-hint` : '', refused.length > 0 ? `${id}-wrong` : ''].filter(Boolean).join(' ');
  return (
    <div className="pk-field">
      <label htmlFor={id}>{label}</label>
      <div className="pk-control">
        {children({
          id,
          'data-field': name,
          'aria-invalid': refused.length > 0 || undefined,
          'aria-describedby': described || undefined
        })}
        {hint && (
          <p id={`${id}-hint`} className="pk-hint">
            {hint}
          </p>
        )}
        <Refusals id={`${id}-wrong`} refused={refused} />
      </div>
    </div>
  );
}

/** What the platform says against a field, or against one of its items. */
function refusalsOf(error: Error | null | undefined, name: string): Wrong[] {
  const errors = error instanceof Problem ? error.errors : [];
  return errors.filter(({ field }) => field.split('.')[0] === name).slice(0, 1);
}

/** What the platform says against something none of the form's `fields` is to blame for. */
export function Refusal({ error, fields = [] }: { error: Error | null; fields?: string[] }) {
  if (!error || fields.some(name => refusalsOf(error, name).length > 0)) {
    return null;
  }
  return (
    <p className="pk-refusal" role="alert">
      {error.message}
    </p>
  );
}

/** The same for a group of controls, which names itself. */
export function Group({
  name,
  label,
  hint,
  wrong,
  children
}: {
  name: string;
  label: string;
  hint?: ReactNode;
  wrong: readonly Wrong[];
  children: ReactNode;
}) {
  const id = useId();
  const refused = wrong.filter(each => each.field === name);
  return (
    <div className="pk-field" role="group" aria-labelledby={id} data-field={name}>
      <span id={id} className="pk-label">
        {label}
      </span>
      <div className="pk-control">
        {children}
        {hint && <p className="pk-hint">{hint}</p>}
        <Refusals refused={refused} />
      </div>
    </div>
  );
}

/** Sentences of what is wrong. */
export function Refusals({ id, refused }: { id?: string; refused: readonly Wrong[] }) {
  // Always there, so that what comes into it is read out.
  return (
    <div id={id} className="pk-refusals" aria-live="polite">
      {refused.map(({ field, message }) => (
        <p key={`${field} ${message}`}>{message}</p>
      ))}
    </div>
  );
}

/** A number as text: what cannot be read stays as it was typed, and is said to be wrong. */
export function NumberInput({
  value,
  onText,
  ...control
}: Control & { value: string; onText: (text: string) => void }) {
  return (
    <input
      {...control}
      type="text"
      inputMode="decimal"
      autoComplete="off"
      className="pk-input pk-short"
      value={value}
      onChange={event => onText(event.target.value)}
    />
  );
}
