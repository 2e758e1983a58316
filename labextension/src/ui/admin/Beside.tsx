/** A list, and beside it (below, where it is narrow) the one thing that is looked at. */
import { type ReactNode, useEffect, useId, useRef } from 'react';

import { useShell } from '../shell';

interface Props {
  children: ReactNode;
  /** Null while nothing is looked at. `key` tells one thing from another. */
  detail: { key: string; title: string; body: ReactNode } | null;
  onClose: () => void;
}

export function Beside({ children, detail, onClose }: Props) {
  return (
    <div className="pk-beside">
      <div className="pk-beside-list">{children}</div>
      {detail && (
        <Detail key={detail.key} title={detail.title} onClose={onClose}>
          {detail.body}
        </Detail>
      )}
    </div>
  );
}

/** Takes the focus when it is opened and gives it back when it is closed. */
function Detail({ title, children, onClose }: { title: string; children: ReactNode; onClose: () => void }) {
  const { words } = useShell();
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) {
        before.focus();
      }
    };
  }, []);
  return (
    <aside
      className="pk-detail"
      aria-labelledby={id}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          onClose();
        }
      }}
    >
      <header className="pk-page-head">
        <h2 id={id} ref={heading} tabIndex={-1} className="pk-title">
          {title}
        </h2>
        <span className="pk-grow" />
        <button type="button" className="pk-button" aria-label={words.__('Close')} onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </aside>
  );
}

/** Names and values, one below the other. */
export function Facts({ facts }: { facts: (false | null | undefined | [string, ReactNode])[] }) {
  return (
    <dl className="pk-plain-facts">
      {facts.map(
        fact =>
          fact && (
            <div key={fact[0]}>
              <dt>{fact[0]}</dt>
              <dd>{fact[1]}</dd>
            </div>
          )
      )}
    </dl>
  );
}
