/** What differs between two versions. */
import { bytes } from '../format';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import { More } from './bits';
import { type Place, useDiff } from './queries';

const SIGNS = { added: '+', removed: '−', changed: '~' };

/** The files that came, went and changed from the earlier of two versions to the later. */
export function Diff({
  place,
  one,
  other,
  onClose
}: {
  place: Place;
  one: number;
  other: number;
  onClose: () => void;
}) {
  const { words } = useShell();
  const [old, newer] = [Math.min(one, other), Math.max(one, other)];
  const query = useDiff(place, old, newer);
  const names = { added: words.__('added'), removed: words.__('removed'), changed: words.__('changed') };
  return (
    <section aria-label={words.__('From version %1 to version %2', old, newer)}>
      <div className="pk-version-head">
        <strong>{words.__('From v%1 to v%2', old, newer)}</strong>
        <span className="pk-grow" />
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Back to the files')}
        </button>
      </div>
      <Loaded query={{ ...query, data: query.data?.pages }} lines={5}>
        {pages => {
          const totals = pages[0];
          const items = pages.flatMap(page => page.items);
          if (!totals || items.length === 0) {
            return <p className="pk-quiet">{words.__('Both hold the same files.')}</p>;
          }
          const { added, removed, changed } = totals;
          return (
            <>
              <p className="pk-quiet">
                {words.__('%1 added, %2 removed, %3 changed', added, removed, changed)}
                {' · '}
                {words.__('%1 new, %2 gone', bytes(totals.added_bytes), bytes(totals.removed_bytes))}
              </p>
              <table className="pk-asset-table">
                <thead>
                  <tr>
                    <th scope="col">{words.__('Path')}</th>
                    <th scope="col">{words.__('Change')}</th>
                    <th scope="col" className="pk-amount">
                      v{old}
                    </th>
                    <th scope="col" className="pk-amount">
                      v{newer}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map(({ path, change, old_bytes, new_bytes }) => (
                    <tr key={path}>
                      <th scope="row" className="pk-cell-name">
                        {path}
                      </th>
                      <td>
                        <span aria-hidden="true">{SIGNS[change]} </span>
                        {names[change]}
                      </td>
                      <td className="pk-amount">{old_bytes === null ? '' : bytes(old_bytes)}</td>
                      <td className="pk-amount">{new_bytes === null ? '' : bytes(new_bytes)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
              <More query={query} />
            </>
          );
        }}
      </Loaded>
    </section>
  );
}
