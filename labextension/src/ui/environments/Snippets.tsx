/** How an environment is used from a cell or a terminal. */
import { useState } from 'react';

import { useSpecs } from '../../api/queries';
import { copyText } from '../copy';
import { Section } from '../parts';
import { useShell } from '../shell';

/** What to type, by place, ready to be copied. */
export function Snippets({ reference, kernel }: { reference: string; kernel: boolean }) {
  const { words, announce, insert } = useShell();
  const [place, setPlace] = useState<'cell' | 'save' | 'terminal'>('cell');
  const spec = useSpecs().data?.items[0]?.name ?? 'SPEC';
  const [name = ''] = reference.split('@');
  const code = {
    cell: `%%pumpkin job --spec ${spec} -e ${reference}\nimport sys\nprint(sys.version)`,
    save: `%pumpkin env save ${name}`,
    terminal: `pumpkin job run --spec ${spec} -e ${reference} -- python script.py\npumpkin env show ${reference}`
  }[place];
  const choices = {
    cell: words.__('A cell as a job'),
    save: words.__('Keep what a kernel has installed'),
    terminal: words.__('In a terminal')
  };
  const copy = async (): Promise<void> => {
    await copyText(code);
    announce(words.__('The code is copied.'), 'info');
  };
  return (
    <Section name="environment-code" title={words.__('Use it in code')}>
      <div className="pk-code">
        <p className="pk-quiet">
          {kernel
            ? words.__('Notebooks started from now on have it among their kernels.')
            : words.__('With ipykernel among its requirements it would be a kernel in notebooks too.')}
        </p>
        <div className="pk-version-head" role="group" aria-label={words.__('Where the code runs')}>
          {Object.entries(choices).map(([value, title]) => (
            <button
              key={value}
              type="button"
              className="pk-button pk-toggle"
              aria-pressed={value === place}
              onClick={() => setPlace(value as typeof place)}
            >
              {title}
            </button>
          ))}
          <span className="pk-grow" />
          {insert && place !== 'terminal' && (
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
    </Section>
  );
}
