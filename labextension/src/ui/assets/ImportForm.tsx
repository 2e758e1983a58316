/** Asks the platform to make a version of what another server has. */
import { useRef, useState } from 'react';

import { answer } from '../../api/client';
import { newKey } from '../../api/key';
import { KINDS } from '../../api/queries';
import { useShell } from '../shell';
import { Field, Refusal, Select, useAct } from './bits';
import { type Place, useAssetChanged } from './queries';

type Format = 'auto' | 'zip' | 'tar' | 'git' | 'file';

/** The form; what comes of it is shown by `Imports`. */
export function ImportForm({ place, onClose }: { place: Place; onClose: () => void }) {
  const { api, words } = useShell();
  const changed = useAssetChanged(place);
  const [url, setUrl] = useState('');
  const [format, setFormat] = useState<Format>('auto');
  const [ref, setRef] = useState('');
  const [server, setServer] = useState({ endpoint: '', region: 'us-east-1', access_key: '', secret_key: '' });
  const { busy, error, act } = useAct();
  // One key for one intent: sending the form again after a break begins nothing twice.
  const key = useRef(newKey());
  const { kind, workspace, name } = place;
  const onS3 = url.trim().startsWith('s3://');
  const begin = async (): Promise<void> => {
    await answer(
      api.POST(`/${KINDS[kind]}/{workspace}/{name}/imports`, {
        params: { path: { workspace, name } },
        headers: { 'Idempotency-Key': key.current },
        body: {
          url: url.trim(),
          format: onS3 || format === 'auto' ? null : format,
          ref: onS3 ? '' : ref.trim(),
          s3: onS3 ? { ...server, session_token: '' } : null
        }
      })
    );
    onClose();
    await changed();
  };
  const text = (label: string, field: string, value: string, onChange: (value: string) => void, secret = false) => (
    <Field label={label} name={field} error={error}>
      {tie => (
        <input
          {...tie}
          className="pk-asset-input"
          type={secret ? 'password' : 'text'}
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={event => {
            onChange(event.target.value);
            key.current = newKey();
          }}
        />
      )}
    </Field>
  );
  return (
    <form
      aria-label={words.__('Import from another server')}
      onSubmit={event => {
        event.preventDefault();
        act(begin);
      }}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      {text(words.__('URL of an archive, a git repository or a file; or s3://bucket/prefix'), 'url', url, setUrl)}
      {onS3 ? (
        <div className="pk-asset-form-row">
          {text(words.__('Address of the S3 server'), 's3', server.endpoint, endpoint =>
            setServer({ ...server, endpoint })
          )}
          {text(words.__('Region'), 'region', server.region, region => setServer({ ...server, region }))}
          {text(words.__('Access key (may be empty)'), 'access_key', server.access_key, access_key =>
            setServer({ ...server, access_key })
          )}
          {text(
            words.__('Secret key'),
            'secret_key',
            server.secret_key,
            secret_key => setServer({ ...server, secret_key }),
            true
          )}
        </div>
      ) : (
        <div className="pk-asset-form-row">
          <Field label={words.__('Format')} name="format" error={error}>
            {() => (
              <Select
                label={words.__('Format')}
                titles={{
                  auto: words.__('told by the name'),
                  zip: 'zip',
                  tar: 'tar',
                  git: 'git',
                  file: words.__('one file')
                }}
                value={format}
                onChoose={chosen => {
                  setFormat(chosen);
                  key.current = newKey();
                }}
              />
            )}
          </Field>
          {text(words.__('Branch, tag or commit (git)'), 'ref', ref, setRef)}
        </div>
      )}
      <p className="pk-quiet">
        {onS3
          ? words.__('The key serves this import: it is kept sealed until that is over, and then forgotten.')
          : words.__('The platform fetches it itself, from hosts that its admins allow; this page may be closed.')}
      </p>
      <Refusal error={error} fields={['url', 's3', 'format', 'ref']} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button pk-primary" disabled={busy || url.trim() === ''}>
          {words.__('Import as a new version')}
        </button>
      </div>
    </form>
  );
}
