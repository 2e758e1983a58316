/** Submits a job that is written as YAML. */
import { useId, useState } from 'react';

import { useShell } from '../shell';
import { Refusals } from '../field';
import { wrongOf } from './refusals';
import { useSend } from './submit';

/** A fold with a box to paste into. */
export function ImportYaml() {
  const { words } = useShell();
  const id = useId();
  const [yaml, setYaml] = useState('');
  const sending = useSend();
  const refused = sending.error ? wrongOf(sending.error) : [];
  return (
    <details className="pk-fold">
      <summary>
        <h2>{words.__('Import YAML')}</h2>
        <span className="pk-hint">{words.__('instead of this form')}</span>
      </summary>
      <div className="pk-field">
        <label htmlFor={id}>{words.__('YAML')}</label>
        <div className="pk-control">
          <textarea
            id={id}
            className="pk-input pk-mono"
            rows={8}
            spellCheck={false}
            placeholder={'name: train\nspec: cpu-small\ncommand: python $PUMPKIN_CODE/train.py'}
            aria-describedby={`${id}-wrong`}
            aria-invalid={refused.length > 0 || undefined}
            value={yaml}
            onChange={event => {
              setYaml(event.target.value);
              sending.reset();
            }}
          />
          <Refusals
            id={`${id}-wrong`}
            refused={refused.map(each => ({
              ...each,
              message:
                each.field && !each.message.startsWith(each.field) ? `${each.field}: ${each.message}` : each.message
            }))}
          />
          <button
            type="button"
            className="pk-button"
            disabled={!yaml.trim() || sending.isPending}
            onClick={() => sending.mutate({ yaml })}
          >
            {sending.isPending ? words.__('Submitting') : words.__('Submit this YAML')}
          </button>
        </div>
      </div>
    </details>
  );
}
