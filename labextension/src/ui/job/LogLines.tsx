/** The lines of a log that are on screen. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { forwardRef, memo, useImperativeHandle, useLayoutEffect, useRef } from 'react';

import { useShell } from '../shell';
import { pieces } from './ansi';
import type { LogFeed } from './logFeed';

/** Pixels; every line has one row, so that a place is a multiplication. */
const ROW = 18;
/** Lines that are windowed together: a million lines are then few enough to be told apart anew at each change. */
const BLOCK = 32;
const NEAR_END = ROW * 1.5;

export interface LogLinesHandle {
  /** Brings a line, by its name, into the middle. */
  show(name: number): void;
  toEnd(): void;
}

interface Props {
  feed: LogFeed;
  version: number;
  needle: string;
  /** The line that the search is at, by its name. */
  current: number | null;
  follow: boolean;
  onFollow: (follow: boolean) => void;
}

export const LogLines = forwardRef<LogLinesHandle, Props>(function LogLines(props, handle) {
  const { feed, version, needle, current, follow, onFollow } = props;
  const { words } = useShell();
  const { store } = feed;
  const place = useRef<HTMLDivElement>(null);
  const top = useRef(0);
  const end = useRef(0);
  const known = useRef(store.earlier);
  const virtual = useVirtualizer({
    count: Math.ceil(store.count / BLOCK),
    getScrollElement: () => place.current,
    estimateSize: () => BLOCK * ROW,
    overscan: 1
  });

  useLayoutEffect(() => {
    const element = place.current;
    if (!element) {
      return;
    }
    if (follow) {
      element.scrollTop = element.scrollHeight;
    } else if (store.earlier !== known.current) {
      // Lines were put before those in view, which shall stay where they are.
      element.scrollTop += (store.earlier - known.current) * ROW;
    }
    known.current = store.earlier;
    top.current = end.current = element.scrollTop;
  }, [store, version, follow]);

  useImperativeHandle(
    handle,
    () => ({
      show(name) {
        const element = place.current;
        if (element) {
          onFollow(false);
          element.scrollTop = (name + store.earlier + 0.5) * ROW - element.clientHeight / 2;
        }
      },
      toEnd() {
        onFollow(true);
      }
    }),
    [store, onFollow]
  );

  const scrolled = (): void => {
    const element = place.current;
    if (!element) {
      return;
    }
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (left < 1) {
      onFollow(true);
    } else if (follow && element.scrollTop < end.current - 1) {
      onFollow(false);
    } else if (element.scrollTop > top.current && left < NEAR_END) {
      onFollow(true);
    }
    top.current = element.scrollTop;
  };

  const digits = String(store.count + store.dropped).length;
  return (
    <div
      ref={place}
      className={feed.state === 'ended' ? 'pk-log-lines pk-ended' : 'pk-log-lines'}
      role="log"
      aria-label={words.__('Lines of the log')}
      aria-live="off"
      tabIndex={0}
      onScroll={scrolled}
      onWheel={event => {
        // Said before it has scrolled: a line that arrives meanwhile would take it back.
        if (event.deltaY < 0 && event.currentTarget.scrollTop > 0) {
          onFollow(false);
        }
      }}
      style={{ ['--pk-digits' as string]: store.whole ? digits : 0 }}
    >
      <div className="pk-log-space" style={{ height: store.count * ROW }}>
        {virtual.getVirtualItems().map(({ index }) => (
          <div key={index} className="pk-log-block" style={{ transform: `translateY(${index * BLOCK * ROW}px)` }}>
            {Array.from({ length: Math.max(0, Math.min(BLOCK, store.count - index * BLOCK)) }, (_, at) => {
              const line = index * BLOCK + at;
              const { text, look, cut } = store.line(line);
              return (
                <Row
                  key={line - store.earlier}
                  number={store.whole ? line + 1 + store.dropped : null}
                  text={text}
                  look={look}
                  cut={cut}
                  needle={needle}
                  current={line - store.earlier === current}
                />
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
});

interface RowProps {
  number: number | null;
  text: string;
  look: string;
  cut: number;
  needle: string;
  current: boolean;
}

const Row = memo(function Row({ number, text, look, cut, needle, current }: RowProps) {
  const { words } = useShell();
  return (
    <div className={`pk-log-line${current ? ' pk-current' : ''}`}>
      {number !== null && <span className="pk-log-number" data-number={number} />}
      {pieces(text, look, needle).map(({ text: part, className, hit }, at) =>
        hit ? (
          <mark key={at} className={className}>
            {part}
          </mark>
        ) : (
          <span key={at} className={className || undefined}>
            {part}
          </span>
        )
      )}
      {cut > 0 && <span className="pk-log-cut">{words._n(' … %1 byte more', ' … %1 bytes more', cut, cut)}</span>}
    </div>
  );
});
