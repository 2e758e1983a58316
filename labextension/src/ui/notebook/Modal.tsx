/** A dialog above everything, in either shell. */
import { type ReactNode, useEffect, useId, useRef } from 'react';

/** Shown as long as it is mounted; Escape closes it. */
export function Modal({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className="pk-modal"
      aria-labelledby={id}
      // What is typed here is no shortcut of the Lab's.
      data-lm-suppress-shortcuts="true"
      onClose={onClose}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
