/** A token just made: its secret, shown this once, and how to use it. */
import { useEffect, useRef } from 'react';

import type { Schemas } from '../../api/client';
import { copyText } from '../copy';
import { useShell } from '../shell';
import { addressesOf } from './addresses';

export function MadeToken({ made, onClose }: { made: Schemas['TokenMade']; onClose: () => void }) {
  const { words, portal, announce } = useShell();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const { hub, api } = addressesOf(portal, window.location.href);
  const copy = async (text: string, said: string): Promise<void> => {
    await copyText(text);
    announce(said, 'info');
  };
  const examples: [string, string][] = [
    [words.__('Command line'), `echo $PUMPKIN_TOKEN | pumpkin login ${hub} --token -`],
    ['curl', `curl -H "Authorization: token $PUMPKIN_TOKEN" ${api}/accounts/me`]
  ];
  return (
    <section className="pk-asset-form pk-made" aria-labelledby="pk-made">
      <h3 id="pk-made">{words.__('“%1” is made', made.note)}</h3>
      <p>{words.__('Copy it now: it is shown this once, and nobody can show it again.')}</p>
      <span className="pk-together pk-secret">
        <input
          ref={field}
          className="pk-asset-input pk-asset-source"
          readOnly
          spellCheck={false}
          aria-label={words.__('The token')}
          value={made.token}
          onFocus={event => event.target.select()}
        />
        <button
          type="button"
          className="pk-button pk-primary"
          onClick={() => void copy(made.token, words.__('The token is copied.'))}
        >
          {words.__('Copy')}
        </button>
      </span>
      <p className="pk-quiet">{words.__('Where the script runs, keep it as PUMPKIN_TOKEN. Then for example:')}</p>
      <dl className="pk-examples">
        {examples.map(([title, line]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>
              <code tabIndex={0}>{line}</code>
              <button
                type="button"
                className="pk-button"
                aria-label={words.__('Copy the line for %1', title)}
                onClick={() => void copy(line, words.__('Copied: %1', line))}
              >
                {words.__('Copy')}
              </button>
            </dd>
          </div>
        ))}
      </dl>
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('I have kept it')}
        </button>
      </div>
    </section>
  );
}
