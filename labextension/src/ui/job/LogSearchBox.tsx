/** Searching in a log: the field, the count, and the way to the next. */
import { useShell } from '../shell';
import type { Finding, LogFinder } from './logFinder';

/** `partly` says that not the whole log is there to be searched. */
export function LogSearchBox(props: { finder: LogFinder; finding: Finding; partly: boolean }) {
  const { words } = useShell();
  const { finder, finding, partly } = props;
  const { needle, count, at, done } = finding;
  const none = done ? words.__('no line') : words.__('searching');
  const some = words.__('%1 of %2', at, `${count}${done && !partly ? '' : '+'}`);
  return (
    <span className="pk-log-search" role="search">
      <input
        type="search"
        className="pk-search"
        aria-label={words.__('Search the log')}
        placeholder={words.__('Search')}
        value={needle}
        onChange={event => finder.look(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            finder.go(event.shiftKey ? -1 : 1);
            event.preventDefault();
          } else if (event.key === 'Escape' && needle) {
            finder.look('');
            event.stopPropagation();
          }
        }}
      />
      <span className="pk-fact" role="status">
        {needle && (count > 0 ? some : none)}
      </span>
      {count > 0 && (
        <>
          <button
            type="button"
            className="pk-button"
            title={words.__('Previous (Shift+Enter)')}
            aria-label={words.__('Previous line found')}
            onClick={() => finder.go(-1)}
          >
            ↑
          </button>
          <button
            type="button"
            className="pk-button"
            title={words.__('Next (Enter)')}
            aria-label={words.__('Next line found')}
            onClick={() => finder.go(1)}
          >
            ↓
          </button>
        </>
      )}
    </span>
  );
}
