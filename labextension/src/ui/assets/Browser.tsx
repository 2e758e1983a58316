/** The files of a version: one folder at a time, with what the chosen file holds beside it. */
import { useState } from 'react';

import { bytes } from '../format';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import { More, type Order, sorted, SortHead, walkRows } from './bits';
import { dragged } from './drag';
import { Preview } from './Preview';
import { type Entry, type Place, useTree } from './queries';
import { notebookCode } from './snippet';

type Column = 'name' | 'bytes';

const VALUES: Record<Column, (entry: Entry) => string | number> = {
  name: entry => entry.name,
  bytes: entry => entry.bytes
};

/** A folder's files and folders, its way up, and a preview. `file` is the path of the chosen one. */
export function Browser({
  place,
  number,
  file,
  onFile
}: {
  place: Place;
  number: number;
  file: string | null;
  onFile: (path: string | null) => void;
}) {
  const { words } = useShell();
  const [folder, setFolder] = useState('');
  const [entry, setEntry] = useState<Entry | null>(null);
  const query = useTree(place, number, folder);
  const items = query.data?.pages.flatMap(page => page.items);
  const enter = (next: string): void => {
    setFolder(next);
    setEntry(null);
    onFile(null);
  };
  return (
    <div className={entry ? 'pk-browser pk-split' : 'pk-browser'}>
      <div
        onKeyDown={event => {
          if (event.key === 'Backspace' && folder !== '') {
            enter(folder.slice(0, Math.max(folder.lastIndexOf('/'), 0)));
            event.preventDefault();
          }
          walkRows(event);
        }}
      >
        <Crumbs root={`v${number}`} folder={folder} onFolder={enter} />
        <Loaded query={{ ...query, data: items }} lines={5}>
          {found => (
            <>
              <Entries
                items={found}
                chosen={file}
                codeOf={path => notebookCode({ ...place, version: number, path })}
                onChoose={one => {
                  if (one.type === 'folder') {
                    enter(one.path);
                  } else {
                    setEntry(one);
                    onFile(one.path);
                  }
                }}
              />
              {found.length === 0 && <p className="pk-quiet">{words.__('This folder is empty.')}</p>}
              <More query={query} />
            </>
          )}
        </Loaded>
      </div>
      {entry && (
        <Preview
          key={entry.path}
          place={place}
          number={number}
          entry={entry}
          onClose={() => {
            setEntry(null);
            onFile(null);
          }}
        />
      )}
    </div>
  );
}

function Crumbs({ root, folder, onFolder }: { root: string; folder: string; onFolder: (folder: string) => void }) {
  const { words } = useShell();
  const parts = folder === '' ? [] : folder.split('/');
  const steps = [root, ...parts].map((title, at) => ({ title, path: parts.slice(0, at).join('/') }));
  return (
    <nav aria-label={words.__('Folder')}>
      <ol className="pk-crumbs">
        {steps.map(({ title, path }) => (
          <li key={path}>
            <button
              type="button"
              className="pk-link"
              aria-current={path === folder ? 'location' : undefined}
              onClick={() => onFolder(path)}
            >
              {title}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Entries({
  items,
  chosen,
  codeOf,
  onChoose
}: {
  items: Entry[];
  chosen: string | null;
  codeOf: (path: string) => string;
  onChoose: (entry: Entry) => void;
}) {
  const { words, language } = useShell();
  const [order, setOrder] = useState<Order<Column> | null>(null);
  const head = { order, onOrder: setOrder };
  return (
    <table className="pk-asset-table">
      <thead>
        <tr>
          <SortHead by="name" {...head}>
            {words.__('Name')}
          </SortHead>
          <SortHead by="bytes" numeric {...head}>
            {words.__('Size')}
          </SortHead>
        </tr>
      </thead>
      <tbody>
        {sorted(items, order, VALUES, language).map(entry => (
          <tr
            key={entry.path}
            {...dragged(entry.type === 'file' ? codeOf(entry.path) : null)}
            className={entry.path === chosen ? 'pk-picked' : undefined}
          >
            <th scope="row" className="pk-cell-name">
              <button
                type="button"
                className="pk-copy pk-walk"
                aria-current={entry.path === chosen ? 'true' : undefined}
                onClick={() => onChoose(entry)}
              >
                {entry.type === 'folder' ? `${entry.name}/` : entry.name}
              </button>
              {entry.type === 'folder' && (
                <span className="pk-fact"> {words._n('%1 file', '%1 files', entry.files, entry.files)}</span>
              )}
            </th>
            <td className="pk-amount">{bytes(entry.bytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
