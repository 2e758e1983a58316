/** A new version from this computer: choosing, a look at what was chosen, sending. */
import { useMemo, useRef, useState, useSyncExternalStore } from 'react';

import { KINDS } from '../../api/queries';
import { archiveFormat } from '../../api/upload/archive';
import { ArchiveUpload } from '../../api/upload/archiveUpload';
import { chosenFiles } from '../../api/upload/dropped';
import { FolderUpload } from '../../api/upload/folderUpload';
import { type Plan, plan, type Source } from '../../api/upload/manifest';
import type { Upload } from '../../api/upload/upload';
import { bytes } from '../format';
import { useShell, type Words } from '../shell';
import { ImportForm } from './ImportForm';
import { type Place, useAssetChanged } from './queries';
import { keepUpload, runningUpload, watchUploads } from './running';
import { Sending } from './Sending';
import { Unfinished } from './Unfinished';

const SHOWN_FAULTS = 5;
// React's types do not know it, all browsers do.
const WHOLE_FOLDERS = { webkitdirectory: '' };

interface Staged {
  plan: Plan;
  archive: { file: Blob; name: string; format: 'zip' | 'tar' } | null;
}

/** Takes files, whole folders or an archive, and makes a version of them. `sources` are what was chosen. */
export function UploadPane({
  place,
  sources,
  over,
  onSources,
  onClose,
  onDone
}: {
  place: Place;
  sources: Source[] | null;
  over: boolean;
  onSources: (sources: Source[] | null) => void;
  onClose?: () => void;
  onDone: (number: number) => void;
}) {
  const { api, base, transport, headers, words, announce } = useShell();
  const changed = useAssetChanged(place);
  const [importing, setImporting] = useState(false);
  const upload = useSyncExternalStore(watchUploads, () => runningUpload(place));
  const staged = useMemo(() => (sources && sources.length > 0 ? stagedOf(sources) : null), [sources]);
  const start = ({ plan: { files }, archive }: Staged, unpack: boolean): void => {
    const way = { base, transport, headers };
    const { kind, workspace, name } = place;
    const target = { kind: KINDS[kind], workspace, name };
    const begun: Upload =
      archive && unpack
        ? new ArchiveUpload(api, way, target, archive.file, archive.format)
        : new FolderUpload(api, way, target, files);
    const stop = begun.subscribe(() => {
      const { phase, number, unchanged } = begun.snapshot();
      if (phase === 'cancelled') {
        stop();
        keepUpload(place, null);
        void changed();
      } else if (phase === 'done' && number !== null) {
        stop();
        keepUpload(place, null);
        const what = `${workspace}/${name}`;
        if (unchanged) {
          announce(words.__('Version %1 of %2 holds the same already.', number, what), 'info');
        } else {
          announce(words.__('Version %1 of %2 is ready.', number, what), 'success');
        }
        onDone(number);
      }
    });
    keepUpload(place, begun);
    onSources(null);
    begun.start();
  };
  if (upload) {
    return <Sending upload={upload} />;
  }
  return (
    <section className="pk-asset-form" aria-label={words.__('New version')}>
      {staged ? (
        <Chosen staged={staged} onStart={unpack => start(staged, unpack)} onBack={() => onSources(null)} />
      ) : importing ? (
        <ImportForm
          place={place}
          onClose={() => {
            setImporting(false);
            onClose?.();
          }}
        />
      ) : (
        <>
          <Unfinished place={place} />
          <Chooser over={over} onFiles={onSources} onImport={() => setImporting(true)} onClose={onClose} />
        </>
      )}
    </section>
  );
}

function stagedOf(sources: Source[]): Staged {
  const [only] = sources;
  const format = only && sources.length === 1 ? archiveFormat(only.path) : null;
  return {
    plan: plan(sources),
    archive: only && format ? { file: only.file, name: only.path, format } : null
  };
}

function Chooser({
  over,
  onFiles,
  onImport,
  onClose
}: {
  over: boolean;
  onFiles: (sources: Source[]) => void;
  onImport: () => void;
  onClose?: () => void;
}) {
  const { words } = useShell();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement): void => {
    onFiles(input.files ? chosenFiles(input.files) : []);
    input.value = ''; // the same choice again is a choice too
  };
  return (
    <div className={over ? 'pk-drop pk-over' : 'pk-drop'}>
      <p>{words.__('Drop files, folders or one zip or tar archive here. They become a version as they are.')}</p>
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={() => files.current?.click()}>
          {words.__('Choose files or an archive…')}
        </button>
        <button
          type="button"
          className={onClose ? 'pk-button' : 'pk-button pk-primary'}
          onClick={() => folder.current?.click()}
        >
          {words.__('Choose a folder…')}
        </button>
        <button type="button" className="pk-button" onClick={onImport}>
          {words.__('Import from another server…')}
        </button>
        {onClose && (
          <button type="button" className="pk-button" onClick={onClose}>
            {words.__('Cancel')}
          </button>
        )}
      </div>
      <input ref={files} type="file" multiple hidden onChange={event => take(event.target)} />
      <input ref={folder} {...WHOLE_FOLDERS} type="file" hidden onChange={event => take(event.target)} />
    </div>
  );
}

function Chosen({
  staged,
  onStart,
  onBack
}: {
  staged: Staged;
  onStart: (unpack: boolean) => void;
  onBack: () => void;
}) {
  const { words } = useShell();
  const [unpack, setUnpack] = useState(true);
  const { archive } = staged;
  const { files, bytes: size, leftOut, faults } = staged.plan;
  return (
    <>
      <p className="pk-staged">
        {archive
          ? `${archive.name} · ${bytes(archive.file.size)}`
          : words._n('%1 file', '%1 files', files.length, files.length)}
        {!archive && ` · ${bytes(size)}`}
        {leftOut > 0 && (
          <span className="pk-quiet">
            {' · '}
            {words._n(
              '%1 file of Git, Python or Jupyter is left out',
              '%1 files of Git, Python or Jupyter are left out',
              leftOut,
              leftOut
            )}
          </span>
        )}
      </p>
      {archive ? (
        <label className="pk-asset-check">
          <input type="checkbox" checked={unpack} onChange={event => setUnpack(event.target.checked)} />
          {words.__('Unpack it: its files become the version')}
        </label>
      ) : (
        <p className="pk-quiet">{words.__('The new version has these files and no others.')}</p>
      )}
      {faults.length > 0 && (
        <ul className="pk-refusal" role="alert">
          {faults.slice(0, SHOWN_FAULTS).map(({ path, fault }) => (
            <li key={`${path}:${fault}`}>
              {path} {faultText(fault, words)}
            </li>
          ))}
          {faults.length > SHOWN_FAULTS && <li>{words.__('and %1 more', faults.length - SHOWN_FAULTS)}</li>}
        </ul>
      )}
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onBack}>
          {words.__('Choose again')}
        </button>
        <button
          type="button"
          className="pk-button pk-primary"
          autoFocus
          disabled={files.length === 0 || (faults.length > 0 && !(archive && unpack))}
          onClick={() => onStart(unpack)}
        >
          {words.__('Upload as a new version')}
        </button>
      </div>
    </>
  );
}

function faultText(fault: Plan['faults'][number]['fault'], words: Words): string {
  return {
    empty: words.__('has no name'),
    control: words.__('has a control character in its name'),
    encoding: words.__('has a name that is not valid UTF-8'),
    long: words.__('is longer than 1,024 bytes as a path'),
    absolute: words.__('is an absolute path'),
    backslash: words.__('has a backslash in its name'),
    dots: words.__('has an empty part, “.” or “..” in its path'),
    part: words.__('has a name longer than 255 bytes'),
    twice: words.__('is there twice'),
    many: words.__('A version has 2,000,000 files at most: pack small files together.')
  }[fault];
}
