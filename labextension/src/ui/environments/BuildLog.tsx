/** The log of a build, followed while it is built. */
import { useEffect, useLayoutEffect, useRef, useState } from 'react';

import { follow } from '../../api/follow';
import { useShell } from '../shell';
import { isBuilding, type Version } from './queries';

/** Characters kept; a build writes a few thousand, one that runs wild is shown from its end. */
const KEPT = 400_000;

/** What the builder wrote so far; it stays at its end unless one scrolls up. */
export function BuildLog({ version, onEnd }: { version: Version; onEnd: () => void }) {
  const { base, transport, words } = useShell();
  const [text, setText] = useState('');
  const [live, setLive] = useState(true);
  const place = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  const ended = useRef(onEnd);
  useEffect(() => void (ended.current = onEnd));
  const path = `${version.log}/events`;
  useEffect(() => {
    return follow({ base, transport }, path, {
      onMessages: messages => {
        const more = messages.map(({ data }) => (JSON.parse(data) as { text: string }).text).join('');
        setText(known => (known + more).slice(-KEPT));
      },
      onEnd: () => ended.current(),
      onLive: setLive
    });
  }, [base, transport, path]);
  useLayoutEffect(() => {
    if (atEnd.current && place.current) {
      place.current.scrollTop = place.current.scrollHeight;
    }
  }, [text]);
  const waits = version.state === 'queued' ? words.__('It waits for a builder.') : words.__('Nothing is written yet.');
  return (
    <>
      <pre
        ref={place}
        className="pk-text pk-build-log"
        tabIndex={0}
        role="log"
        aria-label={words.__('Build log')}
        onScroll={({ currentTarget: box }) => {
          atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
        }}
      >
        {text || waits}
      </pre>
      {!live && isBuilding(version) && (
        <p className="pk-stale" role="status">
          {words.__('The connection is lost; the log goes on when it is back.')}
        </p>
      )}
    </>
  );
}
