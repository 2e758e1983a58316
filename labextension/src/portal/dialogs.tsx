/** What JupyterLab has and a bare page has not: a dialog that asks, and notices that say something once. */
import { useEffect, useRef, useSyncExternalStore } from 'react';

import type { Shell, Words } from '../ui/shell';

interface Question {
  title: string;
  lost: string;
  verb: string;
  answer: (yes: boolean) => void;
}
interface Notice {
  id: number;
  text: string;
  kind: 'info' | 'success' | 'error';
}
interface Shown {
  question: Question | null;
  notices: readonly Notice[];
}

const NOTICE_MS = { info: 4000, success: 4000, error: 9000 };

/** Holds what is asked and said; `Dialogs` shows it. */
export class Speaker {
  private shown: Shown = { question: null, notices: [] };
  private listeners = new Set<() => void>();
  private next = 0;

  readonly confirm: Shell['confirm'] = (title, lost, verb) =>
    new Promise(resolve => {
      const answer = (yes: boolean): void => {
        this.show({ question: null });
        resolve(yes);
      };
      this.show({ question: { title, lost, verb, answer } });
    });

  readonly announce: Shell['announce'] = (text, kind) => {
    const id = this.next++;
    this.show({ notices: [...this.shown.notices, { id, text, kind }] });
    setTimeout(() => this.dismiss(id), NOTICE_MS[kind]);
  };

  readonly dismiss = (id: number): void => {
    this.show({ notices: this.shown.notices.filter(notice => notice.id !== id) });
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): Shown => this.shown;

  private show(change: Partial<Shown>): void {
    this.shown = { ...this.shown, ...change };
    this.listeners.forEach(listener => listener());
  }
}

/** The dialog that is open and the notices not yet gone. */
export function Dialogs({ speaker, words }: { speaker: Speaker; words: Words }) {
  const { question, notices } = useSyncExternalStore(speaker.subscribe, speaker.current);
  return (
    <>
      {question && <Ask question={question} words={words} />}
      <div className="pk-notices" aria-live="polite">
        {notices.map(({ id, text, kind }) => (
          <div key={id} className={`pk-notice pk-notice-${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
            <span>{text}</span>
            <button
              type="button"
              className="pk-copy"
              aria-label={words.__('Dismiss')}
              onClick={() => speaker.dismiss(id)}
            >
              ×
            </button>
          </div>
        ))}
      </div>
    </>
  );
}

function Ask({ question, words }: { question: Question; words: Words }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="pk-dialog" aria-labelledby="pk-ask" onCancel={() => question.answer(false)}>
      <h2 id="pk-ask">{question.title}</h2>
      <p>{question.lost}</p>
      <div className="pk-dialog-actions">
        <button type="button" className="pk-button" autoFocus onClick={() => question.answer(false)}>
          {words.__('Cancel')}
        </button>
        <button type="button" className="pk-button pk-warn" onClick={() => question.answer(true)}>
          {question.verb}
        </button>
      </div>
    </dialog>
  );
}
