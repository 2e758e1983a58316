/** Python that reads the chosen version or file. */
import { useState } from 'react';

import { useShell } from '../shell';
import { jobCode, notebookCode, type Where } from './snippet';
import { copyText } from '../copy';

/** The code for a notebook or for a job, and its copy. */
export function Code({ where }: { where: Where }) {
  const { words, announce, insert } = useShell();
  const [place, setPlace] = useState<'notebook' | 'job'>('notebook');
  const code = place === 'notebook' ? notebookCode(where) : jobCode(where);
  const copy = async (): Promise<void> => {
    await copyText(code);
    announce(words.__('The code is copied.'), 'info');
  };
  const choices = { notebook: words.__('In a notebook'), job: words.__('In a job') };
  return (
    <div className="pk-code">
      <div className="pk-version-head" role="group" aria-label={words.__('Where the code runs')}>
        {Object.entries(choices).map(([value, title]) => (
          <button
            key={value}
            type="button"
            className="pk-button pk-toggle"
            aria-pressed={value === place}
            onClick={() => setPlace(value as 'notebook' | 'job')}
          >
            {title}
          </button>
        ))}
        <span className="pk-grow" />
        {insert && place === 'notebook' && (
          <button type="button" className="pk-button" onClick={() => insert(code)}>
            {words.__('Insert into the notebook')}
          </button>
        )}
        <button type="button" className="pk-button" onClick={() => void copy()}>
          {words.__('Copy code')}
        </button>
      </div>
      <pre className="pk-text">{code}</pre>
    </div>
  );
}
